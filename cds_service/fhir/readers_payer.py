"""Readers of cover, claims and the payer's answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cds_service.clinical.facts import Claim, ClaimLine, ClaimResponse, Coverage
from cds_service.fhir import r4_payer as r4
from cds_service.fhir.amounts import whole
from cds_service.fhir.chart import Chart, identifiers
from cds_service.fhir.concepts import label, names_of
from cds_service.fhir.r4_dosage import CodeableConcept, Coding, as_list, plain_number
from cds_service.fhir.r4_resource import Extension, Reference
from cds_service.fhir.resources import Lost

_CLAIM_INFO, _COMPLETE = "urn:cds-service:claim-info", "submission-complete"
_REVIEW_ACTION = re.compile(r"reviewaction", re.IGNORECASE)
_DECISION = re.compile(r"A[1-6]|C|CT|NA")  # X12 306 action codes
# What an answer begins with that gives its decision in words, and the action code of the same.
_ABOUT = (
    r"((the|this|your|prior) )*((request|claim|service|review|case|authorization)s? )?"
    r"((is|was|were|has been|have been) )?"
)
_IN_WORDS = tuple(
    (re.compile(rf"{_ABOUT}({begins})\b"), code)
    for begins, code in (
        ("partial(ly)?|(approved|certified|authorized|denied) (in part|partial(ly)?)", "A2"),
        ("denied|(not|non) ?(certified|approved|authorized)", "A3"),
        ("pended|pending", "A4"),
        ("modified", "A6"),
        ("approved|certified|authorized", "A1"),
    )
)
_PEOPLE = (
    "Patient/",
    "RelatedPerson/",
)  # a payor who is a person pays alone; the name is not a payer's
_PLACE = "Organization/"  # where a payer stands on the server, by which a site may map it


def coverage(chart: Chart, resource: r4.Coverage, ref: str, lost: Lost) -> Coverage:
    """An insurance cover, with every name and identifier its payer may be recognised by."""
    names: list[str] = []
    ids: list[frozenset[str]] = []
    unread = False
    for payor in as_list(resource.payor):
        place = chart.ref(payor)
        if place.startswith(_PEOPLE):
            continue
        named, numbered = _payor(chart, resource, payor)
        names.extend(named)
        ids.append(numbered | {place} if place.startswith(_PLACE) else numbered)
        unread = unread or bool(place and not (named or numbered))
    if unread and resource.status == "active":
        chart.lose(ref, "the payor could not be read")
    for each in as_list(resource.classes):
        names.extend(text for text in (each.name, each.value) if text)
    period = resource.period
    return Coverage(
        ref,
        chart.vocabulary.codes(resource.type),
        label(resource.type),
        resource.status or "",
        chart.start(ref, "period", period),
        tuple(dict.fromkeys(names)),
        frozenset().union(*ids),
        chart.end(ref, "period", period),
        whole(resource.order),
        unread,
    )


def _payor(
    chart: Chart, resource: r4.Coverage, payor: Reference
) -> tuple[list[str], frozenset[str]]:
    """The names and identifiers of one payor and of its organisation."""
    names = [payor.display] if payor.display else []
    organisation = chart.target(resource, payor)
    listed = [payor.identifier]
    if isinstance(organisation, r4.Organization):
        names.extend(text for text in (organisation.name, *as_list(organisation.alias)) if text)
        listed.extend(as_list(organisation.identifier))
    return names, identifiers(listed)


def claim(
    chart: Chart, resource: r4.Claim | r4.ExplanationOfBenefit, ref: str, lost: Lost
) -> Claim:
    """A claim, a request for authorisation or an explanation of benefit, with its lines."""
    billed = chart.start(ref, "billablePeriod", resource.billable_period)
    lines = tuple(
        ClaimLine(
            chart.vocabulary.codes(item.product_or_service),
            chart.when(ref, "item.servicedDate", item.serviced_date)
            or chart.start(ref, "item.servicedPeriod", item.serviced_period)
            or billed,
            plain_number(item.quantity.value) if item.quantity is not None else None,
        )
        for item in as_list(resource.item)
    )
    related = (each.claim for each in as_list(resource.related))
    return Claim(
        ref,
        chart.vocabulary.codes(resource.type),
        label(resource.type),
        resource.status or "",
        chart.when(ref, "created", resource.created),
        resource.kind,
        resource.use or "",
        lines,
        _complete(resource),
        tuple(filter(None, map(chart.ref, related))),
    )


def _complete(resource: r4.Claim) -> bool | None:
    """Whether the submission is said to be complete; None if nothing is said."""
    for info in as_list(resource.supporting_info):
        for concept in (info.category, info.code):
            if concept is not None and any(
                (coding.system, coding.code) == (_CLAIM_INFO, _COMPLETE)
                for coding in concept.codings
            ):
                return info.value_boolean
    return None


def claim_response(chart: Chart, resource: r4.ClaimResponse, ref: str, lost: Lost) -> ClaimResponse:
    """A payer's answer, with the review action codes of its header and lines."""
    return ClaimResponse(
        ref,
        chart.vocabulary.codes(resource.type),
        label(resource.type),
        resource.status or "",
        chart.when(ref, "created", resource.created),
        chart.ref(resource.request),
        resource.use or "",
        resource.outcome or "",
        _decisions(resource),
    )


def _decisions(resource: r4.ClaimResponse) -> frozenset[str]:
    """The decisions, in the extensions of Da Vinci PAS or as plain reasons; where no code tells any,
    those in words.
    """
    concepts = tuple(filter(None, _concepts(resource)))
    coded = frozenset(
        coding.code
        for concept in concepts
        for coding in concept.codings
        if coding.code and _DECISION.fullmatch(coding.code)
    )
    words = (resource.disposition or "", *(name for each in concepts for name in names_of(each)))
    return coded or frozenset(filter(None, map(_in_words, words)))


def _in_words(text: str) -> str | None:
    """The action code of a decision in words.

    >>> [_in_words(text) for text in ("DENIED: no score", "The request was not certified", "Not denied")]
    ['A3', 'A3', None]
    >>> [_in_words(text) for text in ("Certified - partial", "Approved", "Pending review", "Deniable")]
    ['A2', 'A1', 'A4', None]
    """
    plain = " ".join(re.findall(r"[a-z]+", text.casefold()))
    return next((code for words, code in _IN_WORDS if words.match(plain)), None)


def _concepts(resource: r4.ClaimResponse) -> Iterator[CodeableConcept | None]:
    """Where an answer may hold its decision, of the whole and of each line."""
    yield from _extended(resource.extension)
    adjudications = list(as_list(resource.adjudication))
    for item in (*as_list(resource.item), *as_list(resource.add_item)):
        yield from _extended(item.extension)
        adjudications.extend(as_list(item.adjudication))
    for adjudication in adjudications:
        yield from _extended(adjudication.extension)
        yield adjudication.reason
        if adjudication.category is not None:  # it is called after amounts, as what was denied
            codes = (coding.code for coding in adjudication.category.codings)
            yield from (CodeableConcept(coding=Coding(code=code)) for code in codes)


def _extended(extensions: Iterable[Extension]) -> Iterator[CodeableConcept | None]:
    """What review action extensions say, nested or plain."""
    for extension in extensions:
        if extension.url and _REVIEW_ACTION.search(extension.url):
            yield extension.value_codeable_concept
            yield CodeableConcept(coding=extension.value_coding)
            yield CodeableConcept(coding=Coding(code=extension.value_code))
            yield from _extended(extension.extension)
