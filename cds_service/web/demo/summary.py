"""The chart as the page lists it: problems, medications, results, visits, requests and coverage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds_service.web.demo.opioids import Opioids
from cds_service.web.demo.patients import Patient, Resource

_PAST = ("completed", "stopped", "cancelled", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what, its particulars, when, and a word that sets it apart."""

    text: str
    more: str = ""
    when: str = ""
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The lists of one chart, current before past and newest first."""

    problems: tuple[Row, ...]
    medications: tuple[Row, ...]
    past_medications: tuple[Row, ...]
    results: tuple[Row, ...]
    visits: tuple[Row, ...]
    papers: tuple[Row, ...]
    coverages: tuple[Row, ...]


def summary_of(patient: Patient, opioids: Opioids | None) -> Summary:
    """The summary of a chart; `opioids` adds the computed dose to each order."""
    orders = _newest(patient.of("MedicationRequest"), "authoredOn")
    return Summary(
        problems=tuple(_problems(patient)),
        medications=tuple(_medication(o, opioids) for o in orders if o["status"] not in _PAST),
        past_medications=tuple(_medication(o, opioids) for o in orders if o["status"] in _PAST),
        results=tuple(_results(patient)),
        visits=tuple(_visits(patient)),
        papers=tuple(_papers(patient)),
        coverages=tuple(_coverages(patient)),
    )


def day(text: str) -> str:
    """A FHIR date for reading; a partial one stays as it is.

    >>> day("2026-03-01"), day("2026-03")
    ('1 Mar 2026', '2026-03')
    """
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{found.day} {found:%b %Y}"


def words(concept: Resource) -> str:
    """A concept for reading."""
    codings = concept.get("coding") or [{}]
    return str(
        concept.get("text") or codings[0].get("display") or codings[0].get("code") or "unnamed"
    )


def counted(number: float | str, thing: str) -> str:
    """A number and what it counts.

    >>> counted(1, "day"), counted(0, "refill"), counted(30, "day")
    ('1 day', '0 refills', '30 days')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"


def rhythm(repeat: Resource) -> str:
    """How often, for reading.

    >>> rhythm({"frequency": 2, "period": 1, "periodUnit": "d"})
    '2 times a day'
    >>> rhythm({"frequency": 1, "period": 8, "periodUnit": "h"})
    'every 8 hours'
    """
    often, period = repeat.get("frequency"), repeat.get("period", 1)
    unit = {"h": "hour", "d": "day", "wk": "week", "mo": "month"}.get(repeat.get("periodUnit", "d"))
    if not often or not unit:
        return ""
    if often == 1:
        return f"once a {unit}" if period == 1 else f"every {counted(period, unit)}"
    return f"{often} times {'a' if period == 1 else 'in'} {unit if period == 1 else counted(period, unit)}"


def instruction(dosage: Resource) -> str:
    """A dosage in its own words, else in those of its dose and timing.

    >>> instruction({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
    ...     "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, "asNeededBoolean": True})
    '1 tablet, 2 times a day, as needed'
    """
    if dosage.get("text"):
        return str(dosage["text"])
    doses = [each.get("doseQuantity", {}) for each in dosage.get("doseAndRate", ())]
    parts = [f"{dose.get('value', '')} {dose.get('unit', '')}".strip() for dose in doses]
    parts.append(rhythm(dosage.get("timing", {}).get("repeat", {})))
    if dosage.get("asNeededBoolean"):
        parts.append("as needed")
    return ", ".join(part for part in parts if part)


def _problems(patient: Patient) -> Iterator[Row]:
    found = sorted(
        patient.of("Condition"), key=lambda each: _code(each["clinicalStatus"]) != "active"
    )
    for each in found:
        status = _code(each["clinicalStatus"])
        sure = _code(each["verificationStatus"])
        flags = [word for word in (status, sure) if word not in ("active", "confirmed")]
        since = each.get("onsetDateTime") or each.get("recordedDate", "")
        yield Row(words(each["code"]), _code(each["code"]), day(since), ", ".join(flags))
    for each in patient.of("AllergyIntolerance"):
        yield Row(words(each["code"]), "", "", "allergy")


def _medication(order: Resource, opioids: Opioids | None) -> Row:
    instructions = " then ".join(instruction(each) for each in order.get("dosageInstruction", ()))
    supply = order.get("dispenseRequest", {})
    length = supply.get("expectedSupplyDuration", {}).get("value")
    parts = [instructions, counted(length, "day") if length else "", _refills(supply)]
    reference = f"MedicationRequest/{order['id']}"
    return Row(
        words(order["medicationCodeableConcept"]),
        ", ".join(part for part in parts if part),
        day(order["authoredOn"]),
        opioids.arithmetic(reference) if opioids else "",
    )


def _refills(supply: Resource) -> str:
    count = supply.get("numberOfRepeatsAllowed")
    return counted(count, "refill") if count else ""


def _results(patient: Patient) -> Iterator[Row]:
    rows = [(str(each["effectiveDateTime"]), _result(each)) for each in patient.of("Observation")]
    for each in patient.of("QuestionnaireResponse"):
        for item in each.get("item", ()):
            answer = item["answer"][0]
            value = str(next(iter(answer.values())))
            rows.append(
                (
                    str(each["authored"]),
                    Row(item.get("text", "answer"), value, day(each["authored"])),
                )
            )
    yield from (row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True))


def _result(observation: Resource) -> Row:
    codes = [_code(each) for each in observation.get("interpretation", ())]
    flag = {"H": "high", "L": "low", "POS": "positive"}.get(codes[0], "") if codes else ""
    value = _value(observation)
    if flag == value.lower():
        flag = ""
    return Row(words(observation["code"]), value, day(observation["effectiveDateTime"]), flag)


def _value(observation: Resource) -> str:
    if "valueQuantity" in observation:
        quantity = observation["valueQuantity"]
        unit = str(quantity.get("unit", ""))
        number = f"{quantity['value']:g}"
        return number if unit.startswith("{") else f"{number} {unit}"
    return (
        words(observation["valueCodeableConcept"]) if "valueCodeableConcept" in observation else ""
    )


def _visits(patient: Patient) -> Iterator[Row]:
    rows: list[tuple[str, Row]] = []
    for each in patient.of("Encounter"):
        start = str(each["period"]["start"])
        rows.append((start, Row(words(each["type"][0]), "", day(start))))
    for each in patient.of("Procedure"):
        done = str(each["performedDateTime"])
        rows.append((done, Row(words(each["code"]), "", day(done), "procedure")))
    yield from (row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True))


def _papers(patient: Patient) -> Iterator[Row]:
    for each in patient.of("ServiceRequest"):
        yield Row(words(each["code"]), str(each["status"]), day(each["authoredOn"]), "request")
    for each in patient.of("Claim"):
        yield Row(words(each["type"]), "submitted", day(each["created"]), "claim")
    for each in patient.of("ClaimResponse"):
        yield Row(words(each["type"]), "answered", day(each["created"]), "claim")
    for each in patient.of("DocumentReference"):
        yield Row(words(each["type"]), "", day(each["date"]), "document")
    for each in patient.of("Goal"):
        yield Row(
            words(each["description"]), str(each["lifecycleStatus"]), day(each["startDate"]), "goal"
        )


def _coverages(patient: Patient) -> Iterator[Row]:
    for each in patient.of("Coverage"):
        period = each.get("period", {})
        since = f"since {day(period['start'])}" if "start" in period else ""
        yield Row(
            str(each["payor"][0]["display"]),
            since,
            "",
            "" if each["status"] == "active" else "ended",
        )


def _newest(resources: Iterable[Resource], member: str) -> list[Resource]:
    return sorted(resources, key=lambda each: str(each[member]), reverse=True)


def _code(concept: Any) -> str:
    return str(concept["coding"][0]["code"])
