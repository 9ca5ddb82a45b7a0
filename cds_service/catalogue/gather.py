"""Bring together what the catalogue describes."""

from __future__ import annotations

from pathlib import Path

from cds_service.cases.load import case_files, load_cases
from cds_service.catalogue.pages import Shelf
from cds_service.catalogue.statements import load_statements
from cds_service.clinical.rules import load_rules
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.strict_yaml import load
from cds_service.shipped import shipped


def gather(cases: Path) -> Shelf:
    """Knowledge, rules, card files, the cases of a folder and the statements. Raises
    KnowledgeError.
    """
    knowledge, rules, cards = load_knowledge(), load_rules(), shipped("cards")
    criteria = {name for rule in rules.values() for name in rule.criteria}
    return Shelf(
        knowledge=knowledge,
        rules=rules,
        words={
            name: load(cards / f"{name}.yaml").data
            for name in rules
            if (cards / f"{name}.yaml").is_file()
        },
        cases={
            file.stem.replace("_", "-"): load_cases(file, knowledge.system_urls)
            for file in case_files(cases)
        },
        statements=load_statements(knowledge.sources, criteria),
    )
