"""`cds-service new-rule`: the three files of a new rule, ready to be filled in."""

from __future__ import annotations

import re
from pathlib import Path

import click

_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$")
_RULE = '''"""What the card {name} is about, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.criteria import INFO, MET, Criterion
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Known, declared, rule


@rule(
    hooks=("patient-view",),
    needs=(Need.PATIENT, Need.CONDITIONS),
    criteria=(declared("{name}", worst=INFO),),
)
def {stem}(facts: Facts, known: Known) -> Iterator[Criterion]:
    """Say for the pharmacist what is asked, for whom, and what unknown means.

    Source: id of a source, place in it.
    """
    refs = tuple(condition.ref for condition in facts.conditions if condition.active(facts.as_of))
    if refs:
        yield Criterion("{name}", MET, INFO, because=refs)
'''
_CARD = """id: {name}
title: {title}
for: who reads it
source: {{cite: ours, at: where it says so}}
criteria:
  {name}:
    summary: "What to do, then why, under 140 characters"
    line: "The same in one line."
    unknown: "What could not be told."
detail: |
  {{{{ lines }}}}
overrideReasons: [clinical-judgement]
"""
_CASES = """rule: {name}
as_of: 2026-03-01
hook: patient-view
patient: {{born: 1970-05-01, sex: female}}
cases:
  - name: It speaks
    why: the arithmetic or the quotation
    given:
      - Condition: ICD10CM#M54.50 Low back pain, unspecified
        from: 2026-02-01
    then:
      - {{criterion: {name}, indicator: info, because: [1]}}

  - name: It is silent
    why: nothing on file
    then: []

  - name: Without the problem list it cannot tell
    why: conditions were asked for and not received
    withheld: [conditions]
    then: []
"""
_NEXT = """Then, in this order:
1. the rule: what it asks for in @rule, its criteria, its docstring with the source
2. numbers in cds_service/knowledge/parameters, codes in cds_service/knowledge/valuesets
3. {name} in cds_service/protocol/services.py, under each hook it declares
4. the words of each criterion in cards/{name}.yaml
5. tests/cases/{stem}.yaml: a case on each side of every number; cds-service cases run {name}
6. cds-service check, cds-service docs, and a line in CHANGELOG.md; make check"""


@click.command("new-rule")
@click.argument("name")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The repository.",
)
def command(name: str, root: Path) -> None:
    """Write rule, card and cases of the card NAME (words-with-hyphens); never over an
    existing file.
    """
    if not _NAME.match(name):
        raise click.BadParameter("lower-case words joined by hyphens, such as opioid-dose")
    stem, rules = name.replace("-", "_"), root / "cds_service" / "clinical" / "rules"
    if not (rules / "__init__.py").is_file():
        raise click.BadParameter(f"{root} is not the repository", param_hint="--root")
    files = {
        rules / f"{stem}.py": _RULE,
        root / "cards" / f"{name}.yaml": _CARD,
        root / "tests" / "cases" / f"{stem}.yaml": _CASES,
    }
    if taken := [path for path in files if path.exists()]:
        raise click.BadParameter(f"{taken[0]} exists already")
    title = name.replace("-", " ").capitalize()
    for path, text in files.items():
        try:
            path.write_text(text.format(name=name, stem=stem, title=title), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{path}: {error.strerror}") from None
        click.echo(path.relative_to(root))
    click.echo(_NEXT.format(name=name, stem=stem))
