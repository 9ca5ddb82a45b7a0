"""Knowledge, vocabulary, rules and cards, read once for all promises."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from cds_service.assembly import load_service
from cds_service.cards import CardLibrary
from cds_service.clinical.rule import Rule
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.model import Knowledge
from cds_service.settings import Mode, Settings


@cache
def parts() -> tuple[Knowledge, Vocabulary, Mapping[str, Rule], CardLibrary]:
    """What a service is made of."""
    service = load_service(Settings(mode=Mode.TEST))
    return service.knowledge, service.vocabulary, service.rules, service.library
