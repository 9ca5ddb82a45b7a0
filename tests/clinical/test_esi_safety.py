"""What makes an epidural injection unsafe: results, pregnancy tests and allergies as charts word them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from cds_service.clinical.criteria import MET, NOT_MET, UNKNOWN, Status
from cds_service.clinical.esi_safety import esi_safety, ratio, thousands
from cds_service.clinical.facts import Allergy, Facts, Observation, Quantity
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Drug, DrugClass
from tests.changes import replace
from tests.clinical.spine_charts import ago, chart, code, concluded, result


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.4", Fraction(7, 5)), ("12 s", None), ("2 {INR}", Fraction(2)), ("2 INR", Fraction(2))],
)
def test_an_inr_in_seconds_is_not_read(value: str, expected: Fraction | None) -> None:
    number, _, unit = value.partition(" ")
    assert ratio(Quantity(Decimal(number), unit)) == expected
    assert ratio(None) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("90 10*9/L", 90),
        ("90000 /uL", 90),
        ("90 K/µL", 90),
        ("90", 90),
        ("90000", None),
        ("9 g/dL", None),
        ("90 x10(3)/mcL", 90),
        ("90 ×10³/µL", 90),
        ("90 10^9/L", 90),
        ("90 thousand/uL", 90),
        ("90 K/cumm", 90),
        ("90000 cells/mm3", 90),
        ("90 10*6/uL", None),
    ],
)
def test_platelets_in_the_units_laboratories_write(value: str, expected: int | None) -> None:
    number, _, unit = value.partition(" ")
    assert thousands(Quantity(Decimal(number), unit)) == expected
    assert thousands(None) is None


def test_the_latest_result_counts_the_worst_of_its_day() -> None:
    def inr(ref: int, value: str, days: int) -> Observation:
        return result(ref, "LOINC#6301-6", value, "{INR}", days)

    def bleeding(*results: Observation) -> Status:
        return concluded(esi_safety, chart(*results)).bleeding.status

    assert bleeding(inr(1, "2.5", 20), inr(2, "1.1", 2)) is NOT_MET
    assert bleeding(inr(1, "1.1", 2), inr(2, "2.5", 2)) is MET


@pytest.mark.parametrize(
    ("test", "value", "status"),
    [
        ("LOINC#777-3 10*3/uL", "<100", MET),
        ("LOINC#777-3 10*3/uL", "<=100", UNKNOWN),
        ("LOINC#777-3 10*3/uL", ">50", UNKNOWN),
        ("LOINC#777-3 10*3/uL", ">=100", NOT_MET),
        ("LOINC#6301-6 {INR}", ">1.5", MET),
        ("LOINC#6301-6 {INR}", "<2", UNKNOWN),
        ("LOINC#6301-6 {INR}", "<1.5", NOT_MET),
    ],
)
def test_a_result_that_is_only_known_to_lie_on_a_side(
    test: str, value: str, status: Status
) -> None:
    text, unit = test.split()
    found = concluded(esi_safety, chart(result(1, text, value, unit, 2))).bleeding
    assert found.status is status
    assert [e.label for e in found.evidence] == (
        [] if status is NOT_MET else [f"{text}: {value} {unit}".removesuffix(" {INR}")]
    )


def _status(codes: frozenset[Code] = frozenset(), text: str = "") -> Observation:
    coded = Observation(
        "Observation/1", frozenset({code("LOINC#82810-3")}), "status", "final", ago(5)
    )
    return replace(coded, value_codes=codes, value_text=text)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (_status(frozenset({code("LOINC#LA15173-0")})), MET),
        (_status(frozenset({code("LOINC#LA26683-5")})), NOT_MET),
        (_status(text="Pregnant"), MET),
        (_status(text="Not pregnant"), NOT_MET),
        (_status(text="Negative"), NOT_MET),
        (_status(text="unsure"), UNKNOWN),
    ],
)
def test_how_a_pregnancy_status_is_read(answer: Observation, status: Status) -> None:
    assert concluded(esi_safety, chart(answer)).pregnancy.status is status


def _allergy(text: str, drug: Drug | None = None, codes: frozenset[Code] = frozenset()) -> Facts:
    listed = Allergy(
        "AllergyIntolerance/1", codes, text, "active", verification="confirmed", drug=drug
    )
    return replace(chart(), allergies=(listed,))


def test_iodine_may_mean_contrast() -> None:
    assert concluded(esi_safety, _allergy("Iodine")).allergy.status is UNKNOWN
    assert concluded(esi_safety, _allergy("povidone-iodine")).allergy.status is NOT_MET


def test_an_allergy_known_by_name_only_still_counts() -> None:
    steroid = Drug(
        "", "steroid", "NAME", (), classes=frozenset({DrugClass.SYSTEMIC_CORTICOSTEROID})
    )
    assert concluded(esi_safety, _allergy("IV contrast dye")).allergy.met
    assert concluded(esi_safety, _allergy("steroid", steroid)).allergy.met
    assert not concluded(esi_safety, _allergy("penicillin")).allergy.met


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        *((text, True) for text in ("IVP dye", "x-ray dye", "Dye, radiographic", "Iodinated dyes")),
        *((text, True) for text in ("Celestone", "Aristospan")),
        *((text, True) for text in ("Isovue-M 200", "Visipaque", "Gadavist", "gadobutrol")),
        *((text, True) for text in ("Xylocaine", "Novocain", "-caine drugs", "Naropin")),
        *((text, True) for text in ("Steroids (all)", "corticosteroids", "local anaesthetics")),
        *((text, False) for text in ("red dye #40", "ivory dye", "anabolic steroids", "cocaine")),
        *((text, False) for text in ("nonsteroidal", "non-steroid", "No known contrast allergy")),
    ],
)
def test_an_allergy_to_an_injectate_in_everyday_words(text: str, listed: bool) -> None:
    assert concluded(esi_safety, _allergy(text)).allergy.status is (MET if listed else NOT_MET)
