"""What the result of a drug test says, in the forms that laboratories send."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.facts import Observation, Quantity
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.clinical.toxicology_reading import RESULTS, reading
from cds_service.knowledge.codes import Code
from tests.clinical.prescriptions import facts, knowledge


def read(observation: Observation) -> str | None:
    call = Call(facts(), knowledge())
    return reading(observation, Known(call, Asker("test", codes=RESULTS)))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("POS", "positive"),
        ("Presumptive positive", "positive"),
        ("PRELIM: POSITIVE", "positive"),
        ("Non-negative", "positive"),
        ("Detected", "positive"),
        ("Reactive", "positive"),
        (">1000 ng/mL", "positive"),
        ("Negative (cut-off 300)", "negative"),
        ("Not detected", "negative"),
        ("None Detected", "negative"),
        ("Non-reactive", "negative"),
        ("not present", "negative"),
        ("<50 ng/mL", "negative"),
        ("POSITIVE (A)", "positive"),
        ("Pos.", "positive"),
        ("Presumptively positive", "positive"),
        ("Neg", "negative"),
        ("+", "positive"),
        ("(+) confirmed", "positive"),
        ("(-)", "negative"),
        ("-", None),  # no result, as a rule
        ("possible interference", None),
        ("Positioning error", None),
        ("Negligible volume", None),
        ("Inconclusive", None),
        ("see note", None),
        ("", None),
    ],
)
def test_words(text: str, result: str | None) -> None:
    assert read(Observation("Observation/1", value_text=text)) == result


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (Code("LOINC", "LA9633-4"), "positive"),
        (Code("SNOMED", "720735008"), "positive"),
        (Code("LOINC", "LA9634-2"), "negative"),
        (Code("SNOMED", "131194007"), "negative"),
        (Code("SNOMED", "419984006"), None),
    ],
)
def test_codes(code: Code, result: str | None) -> None:
    assert read(Observation("Observation/1", value_codes=frozenset({code}))) == result


def measured(value: int, comparator: str = "", high: int | None = 150) -> Observation:
    """A level with the upper limit of its reference range, as the reader makes it."""
    return Observation(
        "Observation/1",
        value=Quantity(Decimal(value), "ng/mL"),
        value_text=f"{comparator}{value}" if comparator else "",
        reference_high=None if high is None else Quantity(Decimal(high), "ng/mL"),
    )


@pytest.mark.parametrize(
    ("level", "result"),
    [
        (measured(150), "positive"),
        (measured(149), "negative"),
        (measured(150, "<"), "negative"),
        (measured(150, "<="), None),
        (measured(149, "<="), "negative"),
        (measured(151, "<"), None),
        (measured(150, ">"), "positive"),
        (measured(100, ">"), None),
        (measured(50, "<", high=None), "negative"),
        (measured(50, ">", high=None), "positive"),
        (measured(50, high=None), None),
    ],
)
def test_levels(level: Observation, result: str | None) -> None:
    assert read(level) == result


def test_interpretations() -> None:
    said = {
        word: read(Observation("Observation/1", interpretation=frozenset({word})))
        for word in ("POS", "POSITIVE", "ND", "A")
    }
    assert said == {"POS": "positive", "POSITIVE": "positive", "ND": "negative", "A": None}
    both = frozenset({"POS", "NEG"})
    assert read(Observation("Observation/1", interpretation=both)) is None
