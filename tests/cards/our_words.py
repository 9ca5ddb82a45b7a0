"""What each of our rules promises its card, with and without the parts that may be absent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cds_service.clinical.criteria import OrderChange
from cds_service.clinical.dates import FuzzyDate, on
from cds_service.clinical.evidence import Evidence
from cds_service.clinical.facts import Quantity
from cds_service.clinical.mme import DailyMme, OrderMme
from cds_service.clinical.opioid_course import Course
from cds_service.clinical.toxicology import Unexpected
from cds_service.clinical.treatment import Response
from cds_service.knowledge.numbers import Boundary, Number
from tests.changes import replace

DRAFT_REF = "MedicationRequest/draft"


def number(value: int, unit: str = "d") -> Number:
    return Number("n", Decimal(value), unit, Boundary.AT_OR_ABOVE, "s", "a", date(2022, 1, 1))


def words(label: str, bound: bool) -> Mapping[str, Mapping[str, Any]]:
    """What each rule promises its card, with and without the parts that may be absent."""
    mme, response = _mme(label, bound), _response(bound)
    return {
        **_of_prescribing(label, bound, mme),
        **_of_following(label, bound, mme),
        **_of_referring(label, bound, mme, response),
    }


def _mme(label: str, bound: bool) -> DailyMme:
    counted = OrderMme(
        DRAFT_REF, label, True, True, Fraction(255, 4), "10 mg x 4/day x 1.5", notes=("PRN",)
    )
    unread = OrderMme("MedicationRequest/2", label, False, False, why="the dose could not be read")
    return DailyMme(
        per_day=Fraction(255, 4),
        is_lower_bound=bound,
        seen=True,
        factors="cdc-2022",
        orders=(counted, unread) if bound else (counted,),
        duplicates=(label,) if bound else (),
    )


def _response(bound: bool) -> Response:
    if bound:
        return Response("inadequate", "ODI", None, None, None)
    return Response(
        "inadequate",
        "ODI",
        Evidence("Observation/1", "ODI", on(date(2026, 1, 5)), Quantity(Decimal(44))),
        Evidence("Observation/2", "ODI", on(date(2026, 2, 5)), Quantity(Decimal(41))),
        Fraction(300, 44),
    )


def _of_prescribing(label: str, bound: bool, mme: DailyMme) -> dict[str, Mapping[str, Any]]:
    """The opioid being signed: its dose, its company, its need and its length."""
    fewer = OrderChange(DRAFT_REF, {"dosageInstruction.0.timing.repeat.frequency": 2})
    shorter = OrderChange(DRAFT_REF, {"dispenseRequest.quantity.value": 28})
    offers = {
        "nsaid_missing": not bound,
        "nsaid_against": ("pregnancy", "heart failure") if bound else (),
        "therapy_missing": True,
    }
    return {
        "opioid-dose-threshold": {
            "mme": mme, "threshold": number(50), "added": Fraction(60), "lower": None if bound else fewer,
            "naloxone_missing": True,
        },
        "opioid-with-sedative": {
            "opioids": (label,), "sedatives": (label, "lorazepam"), "opioid_names": (label,),
            "sedative_names": (label, "lorazepam"), "oud": bound, "all_oud": bound,
            "any_for_pain": not bound, "naloxone_missing": True,
        },
        "nonopioid-first": {"days": number(90), **offers},
        "nonopioid-first-acute": {"supply": 14, "limit": number(28), **offers},
        "nonopioid-first-chronic": {
            "supply": 30,
            "limit": number(28),
            "plan_days": number(90),
            **offers,
        },
        "long-acting-start": {"label": label, "supply": None if bound else 30, "naive_days": number(90)},
        "supply-longer-than-acute-need": {
            "supply": 14, "limit": number(7), "label": label, "shorter": None if bound else shorter,
        },
    }  # fmt: skip


def _of_following(label: str, bound: bool, mme: DailyMme) -> dict[str, Mapping[str, Any]]:
    """The patient who takes opioids: reviews, tests and treatment that are due."""
    result = Unexpected(
        "cocaine", "positive", on(date(2026, 2, 1)), "not prescribed", "Observation/3"
    )
    return {
        "reevaluation-due": {
            "months": 0 if bound else 3,
            "window": number(90),
            "covered": 9,
            "span": number(10),
        },
        "naloxone-offer": {
            "factors": ("50 MME/day or more", "a benzodiazepine", "substance use disorder or misuse"),
            "mme": DailyMme() if bound else mme,
        },
        "pdmp-review-due": {"window": number(90)},
        "toxicology-test-due": {"window": number(12), "test_missing": True},
        "toxicology-result-unexpected": {
            "results": (result, replace(result, substance=label)),
            "test_missing": not bound,
        },
        "opioid-use-disorder-untreated": {
            "since": None if bound else FuzzyDate(date(2026, 1, 1), date(2026, 1, 31)), "window": number(90),
            "referral_missing": True,
            "naloxone_missing": True,
        },
    }  # fmt: skip


def _of_referring(
    label: str, bound: bool, mme: DailyMme, response: Response
) -> dict[str, Mapping[str, Any]]:
    """The pain that lasts: what speaks for a specialist."""
    course = Course(
        date(2026, 1, 10),
        50,
        50 if bound else 80,
        "subacute",
        True,
        (DRAFT_REF,),
        (label, "tramadol"),
    )
    onset, due = on(date(2026, 1, 19)), date(2026, 3, 20)
    return {
        "opioids-beyond-one-month": {"course": course, "limit": number(30), "mme": mme, "opioids": True},
        "opioid-dose-for-consult": {"mme": mme, "threshold": number(30), "opioids": True},
        "inadequate-response-to-therapy-visits": {
            "visits": 6, "dates": (due,), "response": response, "limit": number(4), "opioids": False,
        },
        "inadequate-response-to-treatment": {
            "start": date(2026, 1, 5), "days": 55, "tried": (label,), "response": response,
            "opioids": False,
        },
        "consult-window-from-onset": {
            "onset": onset, "due": due, "days": 41, "limit": number(60), "opioids": True,
        },
    }  # fmt: skip
