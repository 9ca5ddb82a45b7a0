"""Urine drug tests read against what was prescribed. Pure.

A positive is expected when a drug that contains the substance, or is broken down to it, was
supplied in the days before the test; a negative is unexpected when such a drug should have been
taken on the day of the test. Source: cdc-2022, recommendation 10; opioid-cds-r4 for the substances
and the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.dates import FuzzyDate, months_before
from cds_service.clinical.facts import Facts, Need, Observation, Order
from cds_service.clinical.rule import Known, reasoning
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import DrugClass


@dataclass(frozen=True, slots=True)
class Substance:
    """What a test looks for: its tests, and the ingredients or drug classes that explain a
    positive.
    """

    name: str
    tests: tuple[str, ...]
    ingredients: frozenset[str] = frozenset()
    classes: frozenset[DrugClass] = frozenset()
    drugs: str = ""  # a value set of RxNorm codes, where no drug class exists
    takes_notice_of_negative: bool = True


# Codeine becomes morphine and a little hydrocodone; hydrocodone becomes hydromorphone; oxycodone
# becomes oxymorphone.
_OPIATES = frozenset(
    {
        "codeine",
        "morphine",
        "hydrocodone",
        "hydromorphone",
        "dihydrocodeine",
        "benzhydrocodone",
        "opium",
    }
)
SUBSTANCES: tuple[Substance, ...] = (
    Substance(
        "amphetamine",
        ("amphetamine-urine-drug-screening-tests",),
        drugs="amphetamines-class-medications",
    ),
    Substance(
        "barbiturate",
        ("barbiturate-urine-drug-screening-tests",),
        classes=frozenset({DrugClass.BARBITURATE}),
    ),
    Substance(
        "benzodiazepine",
        ("benzodiazepine-urine-drug-screening-tests",),
        classes=frozenset({DrugClass.BENZODIAZEPINE}),
    ),
    Substance(
        "buprenorphine", ("buprenorphine-urine-drug-screening-tests",), frozenset({"buprenorphine"})
    ),
    Substance("cocaine", ("cocaine-urine-drug-screening-tests",)),
    Substance(
        "fentanyl",
        ("fentanyl-type-urine-drug-screening-tests",),
        frozenset({"fentanyl", "sufentanil", "alfentanil", "remifentanil"}),
    ),
    Substance("heroin (6-monoacetylmorphine)", ("heroin-urine-drug-screening-tests",)),
    Substance("methadone", ("methadone-urine-drug-screening-tests",), frozenset({"methadone"})),
    Substance("opiates", ("general-opiate-urine-drug-screening-tests",), _OPIATES),
    Substance(
        "oxycodone",
        ("oxycodone-urine-drug-screening-tests",),
        frozenset({"oxycodone", "oxymorphone"}),
    ),
    Substance("phencyclidine", ("phencyclidine-urine-drug-screening-tests",)),
    Substance("xylazine", ("xylazine-urine-drug-screening-tests",)),
)

POSITIVE_CODES = frozenset(
    {
        Code("SNOMED", "10828004"),
        Code("SNOMED", "260373001"),
        Code("SNOMED", "52101004"),
        Code("LOINC", "LA6576-8"),
        Code("LOINC", "LA11882-0"),
    }
)
NEGATIVE_CODES = frozenset(
    {
        Code("SNOMED", "260385009"),
        Code("SNOMED", "260415000"),
        Code("SNOMED", "2667000"),
        Code("LOINC", "LA6577-6"),
        Code("LOINC", "LA11883-8"),
    }
)
POSITIVE_WORDS = ("pos", "detected", "present")
NEGATIVE_WORDS = ("neg", "not detected", "none detected", "absent", "undetected")
CODES = tuple(name for s in SUBSTANCES for name in (*s.tests, *((s.drugs,) if s.drugs else ())))


@dataclass(frozen=True, slots=True)
class Unexpected:
    """One result that does not fit what was prescribed; `result` is positive or negative."""

    substance: str
    result: str
    date: FuzzyDate
    why: str
    ref: str


def reading(observation: Observation) -> str | None:
    """`positive`, `negative`, or None when the result cannot be read.

    A number counts only against its own reference range: at or above the upper limit is positive.
    """
    if observation.value_codes & POSITIVE_CODES:
        return "positive"
    if observation.value_codes & NEGATIVE_CODES:
        return "negative"
    text = observation.value_text.strip().lower()
    if text.startswith(NEGATIVE_WORDS):
        return "negative"
    if text.startswith(POSITIVE_WORDS):
        return "positive"
    if observation.interpretation & {"POS", "DET"}:
        return "positive"
    if observation.interpretation & {"NEG", "ND"}:
        return "negative"
    value, limit = observation.value, observation.reference_high
    if value is not None and limit is not None and (not limit.unit or value.unit == limit.unit):
        return "positive" if value.value >= limit.value else "negative"
    if observation.value_flag is not None:
        return "positive" if observation.value_flag else "negative"
    return None


@reasoning(
    wants=(Need.OBSERVATIONS, Need.MEDICATIONS),
    numbers=("opioid.toxicology_window", "opioid.toxicology_lookback"),
    codes=CODES,
)
def unexpected_results(facts: Facts, known: Known) -> tuple[Unexpected, ...]:
    """Every unexpected result of the window, newest first; a later negative does not cancel
    a positive.
    """
    since = months_before(facts.as_of, known.number("opioid.toxicology_window").days) - timedelta(
        days=1
    )
    lookback = known.number("opioid.toxicology_lookback").days
    found: list[Unexpected] = []
    tests = tuple(known.codes(name) for substance in SUBSTANCES for name in substance.tests)
    panels = tuple(o for o in facts.observations if o.components)
    for observation in {id(o): o for o in (*facts.observations_in(*tests), *panels)}.values():
        if not observation.counts or observation.when is None:
            continue
        day = observation.when.last
        if since <= day <= facts.as_of:
            parts = (observation, *observation.components)
            for part in parts:
                found.extend(_judge(part, observation, day, lookback, facts, known))
    unique = {(u.substance, u.result, u.ref): u for u in found}
    return tuple(
        sorted(unique.values(), key=lambda u: (u.date.last, u.substance, u.ref), reverse=True)
    )


def _judge(
    part: Observation, whole: Observation, day: date, lookback: int, facts: Facts, known: Known
) -> Iterator[Unexpected]:
    result = reading(part)
    if result is None or whole.when is None:
        return
    for substance in SUBSTANCES:
        if not any(known.codes(name).any_of(part.codes) for name in substance.tests):
            continue
        sources = tuple(order for order in facts.orders if _contains(order, substance, known))
        if result == "positive" and not any(_supplied(o, day, lookback) for o in sources):
            why = "no order that explains it" if _explicable(substance) else "never expected"
            yield Unexpected(substance.name, result, whole.when, why, whole.ref)
        elif result == "negative" and any(_due(o, day, lookback) for o in sources):
            yield Unexpected(
                substance.name, result, whole.when, "prescribed at the time", whole.ref
            )


def _explicable(substance: Substance) -> bool:
    return bool(substance.ingredients or substance.classes or substance.drugs)


def _contains(order: Order, substance: Substance, known: Known) -> bool:
    """An order of the chart (not a draft) for a drug that the test would show."""
    if order.draft or order.intent in ("proposal", "plan") or order.do_not_perform:
        return False
    if order.status not in ("active", "completed", "stopped", "on-hold"):
        return False
    if substance.drugs and known.codes(substance.drugs).any_of(order.codes):
        return True
    if order.drug is None:
        return False
    if substance.classes and order.drug.is_a(*substance.classes):
        return True
    return any(c.ingredient in substance.ingredients for c in order.drug.components)


def _supplied(order: Order, day: date, lookback: int) -> bool:
    """Ordered in the days before the test, or its supply reaches into them."""
    first = day - timedelta(days=lookback)
    if order.when is not None and order.when.first < day and order.when.last >= first:
        return True
    span = order.span
    if span is None or span.start >= day:
        return False
    return order.status in ("active", "on-hold") if span.end is None else span.end > first


def _due(order: Order, day: date, lookback: int) -> bool:
    """Should have been taken when the test was made: begun before it and supplied up to it."""
    if order.when is None or order.when.last >= day or order.status == "stopped":
        return False
    span = order.span
    if span is not None and span.end is not None:
        return span.end >= day
    return order.status == "active" or order.when.first >= day - timedelta(days=lookback)
