"""The drug table as the service holds it: raw lines in memory, a drug parsed when first
asked for.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.agreement import (
    conflict,
    contradicted,
    has_strengths,
    most_specific,
    strength_conflict,
    together,
    without_strengths,
)
from cds_service.knowledge.drugs.clues import Clues
from cds_service.knowledge.drugs.ingredients import read_classes
from cds_service.knowledge.drugs.model import OPIOID_INGREDIENTS, Drug, DrugClass, Identified
from cds_service.knowledge.drugs.names import Lexicon, Mention
from cds_service.knowledge.drugs.packed import NDC_WIDTH, ingredients_of, unpack
from cds_service.knowledge.drugs.reading import filled, named
from cds_service.knowledge.drugs.rxnorm_names import clean_brand

PACKAGED = Path(__file__).parent / "data"
_FILES = ("concepts.tsv", "ingredients.tsv", "names.tsv", "ndc.txt", "release.txt")
_NDC_LINE = NDC_WIDTH + 10  # eleven digits, a blank, the code in eight places, the line end
_PRODUCTS = frozenset({"SCD", "SBD"})
_SYSTEMS = ("RXNORM", "NDC")


class DrugTable:
    """Drugs by RxNorm code, by NDC and by name. Safe to share between threads: only a cache ever
    changes.

    Source: nlm-rxnorm, current prescribable content; opioid-cds-r4.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._ndc = files["ndc.txt"]
        self._codes: dict[str, str] = {}
        self._classes: dict[str, frozenset[DrugClass]] = {}
        for line in files["ingredients.tsv"].decode().splitlines():
            name, code, classes = line.split("\t")
            self._codes[name] = code
            self._classes[name] = read_classes(classes)
        self._lines: dict[str, str] = {}
        self._by_set: dict[frozenset[str], list[str]] = {}
        self._by_brand: dict[str, list[str]] = {}
        for line in files["concepts.tsv"].decode().splitlines():
            self._add(line)
        self._lexicon = Lexicon(files["names.tsv"].decode().splitlines())
        self._drugs: dict[str, Drug] = {}
        digest = hashlib.sha256(b"".join(files[name] for name in _FILES)).hexdigest()
        self.version = f"rxnorm-{files['release.txt'].decode().strip()}-{digest[:8]}"

    @classmethod
    def load(cls, path: Path = PACKAGED) -> DrugTable:
        """Read the built files of a directory."""
        return cls({name: (path / name).read_bytes() for name in _FILES})

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Drug]:
        return (self._drug(rxcui) for rxcui in self._lines)

    def by_rxcui(self, code: str) -> Drug | None:
        """The concept of a RxNorm code, None if the table does not hold it."""
        code = code.strip()
        return self._drug(code) if code in self._lines else None

    def by_ndc(self, ndc: str) -> Drug | None:
        """The product of an NDC in eleven digits, with hyphens, or in ten digits that have one
        reading.

        Ten digits without hyphens may be 4-4-2, 5-3-2 or 5-4-1; products that differ make it
        unknown.
        """
        found = self._readings(ndc)
        return self.by_rxcui(found.pop()) if len(found) == 1 else None

    def by_name(self, text: str) -> Drug | None:
        """The drug that free text names, with strength and form where they are certain, or None."""
        mention = self._lexicon.find(text)
        return self._named(text, mention) if mention.ingredients else None

    def identify(self, codes: Iterable[Code], text: str) -> Identified:
        """What codings and text say together: RxNorm, then NDC, then names; and whether
        they disagree.
        """
        every, label = tuple(codes), " ".join(text.split())
        coded = self._coded(every)
        if not coded:
            said = self._by_text(text, label)
            coded = [] if said.drug is not None else self._either(every)
            if not coded:
                return said
        mention = self._lexicon.find(text)
        drugs = [drug for _, drug in coded]
        best = most_specific(drugs)
        basis = next(system for system, drug in coded if drug is best).lower()
        label, problem = (
            label or best.name,
            conflict(drugs) or contradicted(drugs, mention.ingredients),
        )
        apart = None if problem else strength_conflict(drugs)
        if apart is not None:
            bare = without_strengths(best)
            return Identified(bare, label, basis, apart, strengths_differ=True)
        if problem is None and not has_strengths(best):
            best = self._completed(best, together(drugs), text, mention)
        unseen = bool(mention.ingredients & OPIOID_INGREDIENTS) and not best.opioids
        return Identified(best, label, basis, problem, opioid_by_name=unseen)

    def _add(self, line: str) -> None:
        rxcui = line[: line.index("\t")]
        self._lines[rxcui] = line
        name, ingredients, tty = ingredients_of(line)
        if tty in _PRODUCTS:
            self._by_set.setdefault(ingredients, []).append(rxcui)
            if name.endswith("]"):
                brand = clean_brand(name[name.rindex("[") + 1 : -1]).lower()
                self._by_brand.setdefault(brand, []).append(rxcui)

    def _drug(self, rxcui: str) -> Drug:
        drug = self._drugs.get(rxcui)
        if drug is None:
            drug = self._drugs.setdefault(rxcui, unpack(self._lines[rxcui], self._codes))
        return drug

    def _coded(self, codes: Iterable[Code]) -> list[tuple[str, Drug]]:
        """The drugs of all codes known here, RxNorm before NDC, each in the order of its codes."""
        known = {code for code in codes if code.system in _SYSTEMS}
        wanted = sorted(known, key=lambda code: (code.system != "RXNORM", code))
        look = {"RXNORM": self.by_rxcui, "NDC": self.by_ndc}
        return [(code.system, drug) for code in wanted if (drug := look[code.system](code.code))]

    def _readings(self, ndc: str) -> set[str]:
        """The RxNorm codes an NDC may stand for."""
        return {rxcui for digits in _eleven(ndc.strip()) if (rxcui := self._ndc_code(digits))}

    def _either(self, codes: Iterable[Code]) -> list[tuple[str, Drug]]:
        """The opioids that an NDC in ten digits may be, where all its readings are opioids."""
        for code in codes:
            if code.system == "NDC":
                drugs = [self._drug(rxcui) for rxcui in sorted(self._readings(code.code))]
                if len(drugs) > 1 and all(drug.opioids for drug in drugs):
                    return [(code.system, drug) for drug in drugs]
        return []

    def _by_text(self, text: str, label: str) -> Identified:
        drug = self.by_name(text)
        if drug is None:
            return Identified(None, label, "none")
        opioids = sorted({c.ingredient for c in drug.opioids})
        problem = (
            f"the text names several opioids: {', '.join(opioids)}" if len(opioids) > 1 else None
        )
        return Identified(drug, label, "name", problem, opioid_by_name=bool(opioids))

    def _completed(self, drug: Drug, names: frozenset[str], text: str, mention: Mention) -> Drug:
        """A coded ingredient, form or brand with what the text adds for the same drug.

        Ingredients coded one by one (`names`) are one combination.
        """
        combined = len(names) > len({c.ingredient for c in drug.components})
        if not mention.ingredients <= names:
            mention, text = Mention(frozenset()), ""
        if not mention.ingredients and not combined:
            return drug
        brands = mention.brands or frozenset({drug.name.lower()} if drug.tty == "BN" else ())
        said = self._named(text, Mention(names, brands, mention.codes))
        return replace(said, tty="MIN") if combined else filled(drug, said)

    def _named(self, text: str, mention: Mention) -> Drug:
        clues, branded = Clues.read(text), self._branded(mention)
        own = clues.fitting(branded)
        candidates = own or self._candidates(mention, clues)
        shaped = own or clues.narrowed(branded)
        return named(mention, clues, candidates, shaped, self._classes, self._codes)

    def _branded(self, mention: Mention) -> list[Drug]:
        """The products of the one brand that is named."""
        if len(mention.codes) == 1 or len(mention.brands) != 1:
            return []
        (brand,) = mention.brands
        return [self._drug(code) for code in self._by_brand.get(brand, ())]

    def _candidates(self, mention: Mention, clues: Clues) -> list[Drug]:
        """The products a mention may mean: those of just these ingredients.

        Where the text leaves out a partner (`hydrocodone 5-325`), its pair of strengths tells.
        """
        if len(mention.codes) == 1:
            return [self._drug(code) for code in mention.codes]
        same = [self._drug(code) for code in self._by_set.get(mention.ingredients, ())]
        if not clues.paired or clues.fitting(same):
            return same
        wider = [codes for names, codes in self._by_set.items() if names > mention.ingredients]
        return clues.fitting(self._drug(code) for codes in wider for code in codes) or same

    def _ndc_code(self, digits: str) -> str | None:
        """The RxNorm code of eleven digits, found by bisection in the sorted lines."""
        key, lines = digits.encode(), len(self._ndc) // _NDC_LINE
        at = bisect_left(range(lines), key, key=self._ndc_at)
        if at == lines or self._ndc_at(at) != key:
            return None
        start = at * _NDC_LINE + NDC_WIDTH
        return self._ndc[start : start + _NDC_LINE - NDC_WIDTH].decode().strip()

    def _ndc_at(self, line: int) -> bytes:
        return self._ndc[line * _NDC_LINE : line * _NDC_LINE + NDC_WIDTH]


def _eleven(ndc: str) -> tuple[str, ...]:
    """The ways to write an NDC in eleven digits.

    >>> _eleven("0023-6011-60"), _eleven("0023601160")
    (('00023601160',), ('00023601160', '00236001160', '00236011600'))
    """
    parts = ndc.split("-")
    if len(parts) == 3:
        return (parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2),)
    if len(ndc) == 10:
        return (f"0{ndc}", f"{ndc[:5]}0{ndc[5:]}", f"{ndc[:9]}0{ndc[9]}")
    return (ndc,)
