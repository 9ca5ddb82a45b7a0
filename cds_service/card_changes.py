"""What a suggestion writes into an order: changes to a draft, and the answers of a
questionnaire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from cds_service.card_orders import coding
from cds_service.card_text import clean
from cds_service.clinical.criteria import Answer
from cds_service.clinical.dates import fuzzy
from cds_service.knowledge.codes import Code
from cds_service.knowledge.model import Knowledge

MOST_ANSWER = 500  # characters of one answer of a questionnaire
# How long an instruction is followed, else how many doses there are.
_BOUNDS = frozenset({"boundsDuration", "boundsRange", "boundsPeriod"})
_COUNTS = frozenset({"count", "countMax"})
_HOWEVER_SAID = frozenset({"occurrence", "quantity"})


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
        if path == "followed":
            written |= _ended(raw, new)
        elif path not in _HOWEVER_SAID:
            written[path] = _coded(new, knowledge)
        elif "occurrenceTiming" in raw:
            return None  # a rhythm cannot be put off by a day, and may say how often in all
        elif path == "quantity":
            if "quantityRange" in raw:
                return None  # one number beside a range
            written["quantityQuantity.value"] = new
        elif "occurrenceDateTime" in raw:
            written["occurrenceDateTime"] = new
        else:
            written["occurrencePeriod"] = {"start": new}
    return written


def _ended(raw: Mapping[str, Any], days: int) -> dict[str, Any]:
    """The bounds of a single instruction as they are when it is followed for so many days."""
    instructions = raw.get("dosageInstruction")
    if not isinstance(instructions, list) or len(instructions) != 1:
        return {}  # instructions that follow one another have lengths of their own
    timing = instructions[0].get("timing") if isinstance(instructions[0], dict) else None
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    said = repeat if isinstance(repeat, dict) else {}
    place = "dosageInstruction.0.timing.repeat"
    period = said.get("boundsPeriod")
    start = fuzzy(str(period.get("start", ""))) if isinstance(period, dict) else None
    if isinstance(period, dict) and start is not None and start.exact:
        last = start.first + timedelta(days=days - 1)
        return {f"{place}.boundsPeriod": {**period, "end": last.isoformat()}}
    limits = _BOUNDS.intersection(said) or _COUNTS.intersection(said)
    if not limits:
        return {}
    length = {"value": days, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    gone = dict.fromkeys(f"{place}.{name}" for name in sorted(limits))
    return {**gone, f"{place}.boundsDuration": length}


def _coded(value: Any, knowledge: Knowledge) -> Any:
    """A code as a concept, codes as a list of concepts."""
    if isinstance(value, Code):
        return {"coding": [coding(value, knowledge)]}
    if isinstance(value, tuple):
        return [_coded(each, knowledge) for each in value]
    return value
