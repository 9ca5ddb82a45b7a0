"""Readers of care given and planned: visits, plans, documents, goals, allergies and
questionnaires.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.clinical.facts import (
    NO_CODES,
    Allergy,
    CarePlan,
    Document,
    Encounter,
    Goal,
    QuestionnaireResponse,
)
from cds_service.fhir import r4_chart as r4
from cds_service.fhir import r4_orders
from cds_service.fhir.amounts import quantity
from cds_service.fhir.chart import Chart, united
from cds_service.fhir.concepts import label, merged, status_word
from cds_service.fhir.r4_dosage import as_list, plain_number
from cds_service.fhir.resources import Lost

MISTAKEN = "entered-in-error"


def encounter(chart: Chart, resource: r4.Encounter, ref: str, lost: Lost) -> Encounter:
    """A visit or a stay, with the specialties of the service and of those who took part.

    One that is over and has no start is dated by its end; an end that is planned dates none.
    """
    vocabulary = chart.vocabulary
    specialties = vocabulary.codes(resource.service_type)
    for each in as_list(resource.participant):
        role = chart.target(resource, each.individual)
        if isinstance(role, r4.PractitionerRole):
            specialties |= vocabulary.all_codes(role.specialty)
    stay, diagnoses = resource.hospitalization, as_list(resource.diagnosis)
    found = tuple(each.condition for each in diagnoses if each.condition is not None)
    begun = chart.start(ref, "period", resource.period)
    ended = chart.end(ref, "period", resource.period)
    if resource.status == "finished":
        begun = begun or ended
    types = as_list(resource.type)
    return Encounter(
        ref,
        vocabulary.all_codes(resource.type),
        label(types[0]) if types else label(resource.service_type),
        resource.status or "",
        begun,
        ended,
        specialties,
        vocabulary.all_codes(resource.reason_code),
        vocabulary.codes(stay.discharge_disposition) if stay is not None else NO_CODES,
        chart.refs((*as_list(resource.reason_reference), *found)),
    )


def care_plan(chart: Chart, resource: r4_orders.CarePlan, ref: str, lost: Lost) -> CarePlan:
    """A plan of care; contributors count as authors."""
    categories = as_list(resource.category)
    author = () if resource.author is None else (resource.author,)
    return CarePlan(
        ref,
        chart.vocabulary.all_codes(resource.category),
        resource.title or next((label(each) for each in categories), ""),
        resource.status or "",
        chart.when(ref, "created", resource.created) or chart.start(ref, "period", resource.period),
        chart.when(ref, "meta.lastUpdated", resource.meta.last_updated if resource.meta else None),
        frozenset(chart.refs(author) + chart.refs(resource.contributor)),
        chart.end(ref, "period", resource.period),
    )


def document(chart: Chart, resource: r4.DocumentReference, ref: str, lost: Lost) -> Document:
    """A document on file; a mistake whether the entry says so or the document."""
    mistaken = resource.doc_status == MISTAKEN
    period = resource.context.period if resource.context is not None else None
    when = chart.when(ref, "date", resource.date) or chart.start(ref, "context.period", period)
    return Document(
        ref,
        chart.vocabulary.codes(resource.type),
        label(resource.type),
        MISTAKEN if mistaken else resource.status or "",
        when,
    )


def goal(chart: Chart, resource: r4.Goal, ref: str, lost: Lost) -> Goal:
    """A goal and how far it is reached."""
    return Goal(
        ref,
        chart.vocabulary.codes(resource.description),
        label(resource.description),
        resource.lifecycle_status or "",
        chart.when(ref, "statusDate", resource.status_date)
        or chart.when(ref, "startDate", resource.start_date),
        status_word(resource.achievement_status),
    )


def allergy(chart: Chart, resource: r4.AllergyIntolerance, ref: str, lost: Lost) -> Allergy:
    """An allergy, its substances and the drug they name."""
    vocabulary = chart.vocabulary
    named = [resource.code, *(each.substance for each in as_list(resource.reaction))]
    return Allergy(
        ref,
        united(map(vocabulary.codes, named)),
        label(resource.code),
        status_word(resource.clinical_status),
        chart.when(ref, "onsetDateTime", resource.onset_date_time)
        or chart.when(ref, "recordedDate", resource.recorded_date),
        status_word(resource.verification_status),
        vocabulary.product(merged(filter(None, named))).identified.drug,
    )


def answers(
    chart: Chart, resource: r4.QuestionnaireResponse, ref: str, lost: Lost
) -> QuestionnaireResponse:
    """A filled-in questionnaire: the first answer of each question, nested ones included."""
    found: dict[str, Any] = {}
    for link_id, answer in _answers(chart, as_list(resource.item)):
        found.setdefault(link_id, answer)
    return QuestionnaireResponse(
        ref,
        NO_CODES,
        "",
        resource.status or "",
        chart.when(ref, "authored", resource.authored),
        (resource.questionnaire or "").split("|")[0],
        found,
    )


def _answers(chart: Chart, items: tuple[r4.Item, ...]) -> Iterator[tuple[str, Any]]:
    """Link ids with their answers, in the order of the form."""
    for item in items:
        for answer in as_list(item.answer):
            value = _answer(chart, answer)
            if item.link_id and value is not None:
                yield item.link_id, value
            yield from _answers(chart, answer.item)
        yield from _answers(chart, item.item)


def _answer(chart: Chart, answer: r4.AnswerItem) -> Any:
    """An answer as Decimal, text, flag, days, Quantity or Code."""
    number = plain_number(
        answer.value_integer if answer.value_integer is not None else answer.value_decimal
    )
    if number is not None:
        return number
    if answer.value_coding is not None:
        return next(iter(chart.vocabulary.code(answer.value_coding)), answer.value_coding.display)
    if answer.value_quantity is not None:
        return quantity(answer.value_quantity)
    if answer.value_date is not None:
        return chart.vocabulary.days[answer.value_date]
    return answer.value_boolean if answer.value_boolean is not None else answer.value_string
