"""Readers of the clinical record: the patient, conditions, results and procedures."""

from __future__ import annotations

from datetime import date, timedelta

from cds_service.clinical.dates import FAR_FUTURE, FuzzyDate, fuzzy, months_before
from cds_service.clinical.facts import (
    NO_CODES,
    RULED_OUT,
    Condition,
    Observation,
    Patient,
    Procedure,
    Quantity,
)
from cds_service.fhir import r4_chart as r4
from cds_service.fhir.amounts import quantity, written
from cds_service.fhir.chart import Chart
from cds_service.fhir.r4_chart import RESULTS
from cds_service.fhir.r4_dosage import Quantity as Amount
from cds_service.fhir.r4_dosage import Range, as_list
from cds_service.fhir.r4_parts import ABSENT
from cds_service.fhir.resources import Lost
from cds_service.knowledge.codes import Code

_DISABILITY = "http://hl7.org/fhir/StructureDefinition/patient-disability"
_MONTHS = {"a": 12, "y": 12, "yr": 12, "year": 12, "years": 12, "mo": 1, "month": 1, "months": 1}
_DAYS = {"wk": 7, "w": 7, "week": 7, "weeks": 7, "d": 1, "day": 1, "days": 1}
_OLDEST_MONTHS = 12 * 200
_NO_WORDS: frozenset[str] = frozenset()


def patient(chart: Chart, resource: r4.Patient) -> Patient:
    """The patient of the context."""
    born = chart.when(chart.mine, "birthDate", resource.birth_date)
    disability = any(each.url == _DISABILITY for each in resource.extension)
    return Patient(chart.mine, born, resource.gender, disability, _deceased(chart, resource))


def _deceased(chart: Chart, resource: r4.Patient) -> bool:
    """Whether the patient has died by the as-of date; a date that cannot be read says so too."""
    if resource.deceased_date_time is None:
        return resource.deceased_boolean is True
    died = chart.when(chart.mine, "deceasedDateTime", resource.deceased_date_time)
    return died is None or died.first <= chart.as_of


def condition(chart: Chart, resource: r4.Condition, ref: str, lost: Lost) -> Condition | None:
    """A problem or diagnosis, None for one that neither a rule asks about nor a draft gives as its
    reason.

    An onset by age needs the birth date; one in words is named as unread, unless they are a date.
    """
    glossary = chart.glossary
    concept = glossary.concepts[b"" + resource.code]
    if not concept.codes and concept.text:
        verification = glossary.statuses[b"" + resource.verification_status]
        if verification not in RULED_OUT:
            chart.lose(ref, "the diagnosis is given in words")
    if not (concept.asked or lost or ref in chart.named):
        return None
    days = glossary.days
    onset = days[resource.onset_date_time or ""] or _onset(chart, resource, ref)
    if resource.onset_string:
        onset = onset or _in_words(chart, ref, "onset", resource.onset_string)
    recorded = days[resource.recorded_date or ""] or chart.when(
        ref, "recordedDate", resource.recorded_date
    )
    has_abatement, abated = _abatement(chart, resource, ref, lost)
    return Condition(
        ref,
        concept.codes,
        concept.name,
        glossary.statuses[b"" + resource.clinical_status],
        onset or recorded,
        glossary.statuses[b"" + resource.verification_status],
        onset,
        recorded,
        abated,
        has_abatement,
        glossary.words[b"" + resource.category],
        chart.ref(resource.encounter),
    )


def _in_words(chart: Chart, ref: str, member: str, text: str) -> FuzzyDate | None:
    """The date that was sent as words; other words are named as unread."""
    day = fuzzy(text.strip())
    if day is None:
        chart.lose(ref, f"{member} is given in words")
    return day


def _onset(chart: Chart, resource: r4.Condition, ref: str) -> FuzzyDate | None:
    """When the condition began, in another form; a date that is none is named."""
    return (
        chart.when(ref, "onsetDateTime", resource.onset_date_time)
        or chart.start(ref, "onsetPeriod", resource.onset_period)
        or _at_age(chart, ref, "onset", resource.onset_age, resource.onset_range)
    )


def _abatement(
    chart: Chart, resource: r4.Condition, ref: str, lost: Lost
) -> tuple[bool, FuzzyDate | None]:
    """Whether the condition is over, and since when."""
    said = (
        resource.abatement_date_time
        or resource.abatement_period
        or resource.abatement_age
        or resource.abatement_range
        or resource.abatement_string
        or resource.abatement_boolean
        or (lost and any(path.startswith("abatement") for path in lost))
    )
    if not said:
        return False, None
    day = chart.when(ref, "abatementDateTime", resource.abatement_date_time)
    if day is None and resource.abatement_period is not None:
        begun = chart.start(ref, "abatementPeriod", resource.abatement_period)
        ended = chart.end(ref, "abatementPeriod", resource.abatement_period)
        first, last = begun or ended, ended or begun
        if first is not None and last is not None:
            day = FuzzyDate(first.first, max(first.last, last.last))
    if day is None:
        day = _at_age(chart, ref, "abatement", resource.abatement_age, resource.abatement_range)
    return True, day


def _at_age(
    chart: Chart, ref: str, member: str, age: Amount | None, ages: Range | None
) -> FuzzyDate | None:
    """The days on which the patient had an age: the whole year, month or week of it."""
    low, high = (
        (age, age)
        if age is not None
        else (ages.low, ages.high)
        if ages is not None
        else (None, None)
    )
    if low is None and high is None:
        return None
    born = chart.patient.born if chart.patient is not None else None
    first, last = _reached(born, low or high, 0), _reached(born, high or low, 1)
    if born is None or first is None or last is None:
        chart.lose(ref, f"{member} is given as an age that could not be dated")
        return None
    return FuzzyDate(first, max(first, last - timedelta(days=1)))


def _reached(born: FuzzyDate | None, age: Amount | None, more: int) -> date | None:
    """The last day on which an age can have been reached, or with `more` the first for the
    next age.
    """
    number = age.number if age is not None else None
    if born is None or age is None or number is None:
        return None
    count = int(number) + more
    unit = next((text.lower() for text in age.units if text.lower() in _MONTHS | _DAYS), "")
    day = born.last if more else born.first
    if unit in _MONTHS and 0 <= count * _MONTHS[unit] <= _OLDEST_MONTHS:
        return months_before(day, -count * _MONTHS[unit])
    if unit in _DAYS and 0 <= count * _DAYS[unit] <= (FAR_FUTURE - day).days:
        return day + timedelta(days=count * _DAYS[unit])
    return None


def observation(chart: Chart, resource: r4.Observation, ref: str, lost: Lost) -> Observation | None:
    """A result, a score or a vital sign; None for one that no rule asks about, nor about a
    part of it.
    """
    concept = chart.glossary.concepts[b"" + resource.code]
    parts = (
        as_list(RESULTS.read(b"" + resource.component)) if resource.component is not ABSENT else ()
    )
    if not (concept.asked or lost or (parts and _asked_in_part(chart, parts))):
        return None
    days, said = chart.glossary.days, resource.effective_date_time or ""
    when = days[said[days.told_by]] or _observed(chart, resource, ref)
    status = resource.status or ""
    components = _components(chart, parts, ref, status, when) if parts else ()
    value, codes, text, flag, words, high = _value(chart, resource)
    return Observation(
        ref,
        concept.codes,
        concept.name,
        status,
        when,
        value,
        codes,
        text,
        flag,
        words,
        high,
        components,
        resource.has_member is not ABSENT
        or (bool(lost) and any(path.startswith("value") for path in lost)),
    )


def _observed(chart: Chart, resource: r4.Observation, ref: str) -> FuzzyDate | None:
    """When it was observed, in another form; a date that is none is named."""
    return (
        chart.when(ref, "effectiveDateTime", resource.effective_date_time)
        or chart.when(ref, "effectiveInstant", resource.effective_instant)
        or chart.start(ref, "effectivePeriod", resource.effective_period)
        or chart.end(ref, "effectivePeriod", resource.effective_period)
        or chart.when(ref, "issued", resource.issued)
    )


def _asked_in_part(chart: Chart, parts: tuple[r4.Result, ...]) -> bool:
    return any(chart.glossary.concepts[b"" + part.code].asked for part in parts)


def _components(
    chart: Chart, parts: tuple[r4.Result, ...], ref: str, status: str, when: FuzzyDate | None
) -> tuple[Observation, ...]:
    """The parts of a result, each a result of its day."""
    concepts = chart.glossary.concepts
    named = ((concepts[b"" + part.code], part) for part in parts)
    return tuple(
        Observation(ref, concept.codes, concept.name, status, when, *_value(chart, part))
        for concept, part in named
    )


def _value(
    chart: Chart, result: r4.Observation | r4.Result
) -> tuple[Quantity | None, frozenset[Code], str, bool | None, frozenset[str], Quantity | None]:
    """Value, coded value, value in words, flag, interpretation and upper limit of a result.

    A number that was sent as text is a number without a unit.
    """
    glossary, said = chart.glossary, result.interpretation
    value = None
    if result.value_quantity is not ABSENT:
        value = glossary.amounts[b"" + result.value_quantity]
    text = result.value_string or ""
    if value is None:
        if result.value_integer is not None:
            value = quantity(Amount(value=result.value_integer))
        elif text:
            value = written(text)
    elif value.comparator:
        text = f"{value.comparator}{value.value:f}"
    codes, high, words = NO_CODES, None, _NO_WORDS
    if result.value_codeable_concept is not ABSENT:
        concept = glossary.concepts[b"" + result.value_codeable_concept]
        codes, text = concept.codes, text or concept.text
    if result.reference_range is not ABSENT:
        high = glossary.highs[b"" + result.reference_range]
    if said is not ABSENT:
        words = frozenset(word.upper() for word in glossary.words[b"" + said])
    return value, codes, text, result.value_boolean, words, high


def procedure(chart: Chart, resource: r4.Procedure, ref: str, lost: Lost) -> Procedure | None:
    """Something done, None for what no rule asks about."""
    concept = chart.glossary.concepts[b"" + resource.code]
    if not (concept.asked or lost):
        return None
    period, performers = resource.performed_period, resource.performer
    when = chart.glossary.days[resource.performed_date_time or ""] or chart.when(
        ref, "performedDateTime", resource.performed_date_time
    )
    ended = None if period is None else chart.end(ref, "performedPeriod", period)
    if when is None and period is not None:
        when = chart.start(ref, "performedPeriod", period) or ended
    if resource.performed_string:
        when = when or _in_words(chart, ref, "performed", resource.performed_string)
    return Procedure(
        ref,
        concept.codes,
        concept.name,
        resource.status or "",
        when,
        ended,
        _actors(chart, as_list(performers)) if performers else _NO_WORDS,
    )


def _actors(chart: Chart, performers: tuple[r4.Performer, ...]) -> frozenset[str]:
    """References to those who did it."""
    return frozenset(chart.ref(each.actor) for each in performers if each.actor)
