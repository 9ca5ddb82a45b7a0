"""What a suggestion writes into an order: changes to a draft, and the answers of a
questionnaire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.card_orders import coding
from cds_service.card_text import clean
from cds_service.clinical.criteria import Answer
from cds_service.knowledge.codes import Code
from cds_service.knowledge.model import Knowledge

MOST_ANSWER = 500  # characters of one answer of a questionnaire


def answers_of(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """The items of a filled-in questionnaire."""
    return [
        {
            "linkId": each.link,
            "text": each.text,
            "answer": [{"valueString": clean(each.value, MOST_ANSWER)}],
        }
        for each in answers
    ]


def as_written(
    raw: Mapping[str, Any], changes: Mapping[str, Any], knowledge: Knowledge
) -> dict[str, Any] | None:
    """The changes as FHIR writes them for this draft; None if the draft leaves one of them
    no room.
    """
    written: dict[str, Any] = {}
    for path, new in changes.items():
        if path != "occurrence":
            written[path] = _coded(new, knowledge)
        elif "occurrenceTiming" in raw:
            return None  # a rhythm cannot be put off by a day
        elif "occurrenceDateTime" in raw:
            written["occurrenceDateTime"] = new
        else:
            written["occurrencePeriod"] = {"start": new}
    return written


def _coded(value: Any, knowledge: Knowledge) -> Any:
    """A code as a concept, codes as a list of concepts."""
    if isinstance(value, Code):
        return {"coding": [coding(value, knowledge)]}
    if isinstance(value, tuple):
        return [_coded(each, knowledge) for each in value]
    return value
