"""Build the packaged drug table: `python -m cds_service.knowledge.drugs.build SOURCE_DIR`.

SOURCE_DIR holds `opioid-drugs.csv`, `opioid-valuesets.csv` and `rxnorm/*.csv`. The output is the
same for the same sources: sorted lines of plain text, so that a new release shows as a diff.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cds_service.knowledge.drugs.concepts import finished, names_of
from cds_service.knowledge.drugs.ingredients import Supplement, read_supplement
from cds_service.knowledge.drugs.model import Drug
from cds_service.knowledge.drugs.packed import pack
from cds_service.knowledge.drugs.sources import Sources

HERE = Path(__file__).parent
_WORDS = re.compile(r"[a-z]+|\d+|#")


def build(source: Path, target: Path, kept: Path) -> dict[str, int]:
    """Write the table files of `source` and the hand-kept file into `target`; say how many
    lines each has.
    """
    supplement = read_supplement(kept)
    sources = Sources(source, supplement)
    ingredients = sources.ingredients()
    drugs = finished(sources.rows().values(), ingredients, sources.slow)
    codes = {drug.rxcui for drug in drugs}
    used = {component.ingredient for drug in drugs for component in drug.components}
    files = {
        "concepts.tsv": [pack(drug) for drug in drugs],
        "ingredients.tsv": ingredients.lines(used),
        "names.tsv": _names({*ingredients.codes, *used}, drugs, supplement),
        "ndc.txt": [f"{ndc} {rxcui:>8}" for ndc, rxcui in sources.ndcs() if rxcui in codes],
        "release.txt": [sources.released],
    }
    target.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        text = "".join(f"{line}\n" for line in lines)
        (target / name).write_text(text, encoding="utf-8", newline="\n")
    return {name: len(lines) for name, lines in files.items()}


def _names(ingredients: Iterable[str], drugs: Sequence[Drug], supplement: Supplement) -> list[str]:
    """One line a name: its words, the ingredients it means, the brand it is, the one code
    it stands for.
    """
    brands = {name: frozenset(names) for name, names in supplement.brands.items()}
    brands.update({name: names for name, names in names_of(drugs).items() if names})
    by_code = {drug.rxcui: drug for drug in drugs}
    meant = {name: (frozenset({name}), "", "") for name in ingredients}
    meant.update({name: (names, name, "") for name, names in brands.items()})
    for word, target in supplement.words.items():
        meant[word] = meant[target]
    for name, code in supplement.products.items():
        meant[name] = (frozenset(c.ingredient for c in by_code[code].components), "", code)
    return sorted(
        "\t".join((_in_words(name), "|".join(sorted(names)), brand, code))
        for name, (names, brand, code) in meant.items()
    )


def _in_words(name: str) -> str:
    return " ".join(_WORDS.findall(name.lower()))


def main(arguments: list[str]) -> int:
    """Build into the package from the one directory given."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m cds_service.knowledge.drugs.build SOURCE_DIR\n")
        return 2
    for name, count in build(Path(arguments[0]), HERE / "data", HERE / "supplement.tsv").items():
        sys.stdout.write(f"{name}: {count}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
