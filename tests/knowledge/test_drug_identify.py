"""What codings and text of one medication say together, and when they disagree."""

from __future__ import annotations

import pytest

from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Drug, DrugClass, Identified, Route
from cds_service.knowledge.drugs.table import DrugTable

OXYCODONE_10 = "1049683"
OXYCODONE_5 = "1049621"
HYDROCODONE_APAP_5 = "857002"


@pytest.fixture(scope="module")
def table() -> DrugTable:
    return DrugTable.load()


def found(drug: Drug | None) -> Drug:
    assert drug is not None
    return drug


def rx(table: DrugTable, *codes: str, text: str = "") -> Identified:
    return table.identify([Code("RXNORM", code) for code in codes], text)


def strengths(drug: Drug | None) -> list[str]:
    return [
        c.ingredient if c.strength is None else f"{c.ingredient} {c.strength:f} {c.unit}"
        for c in found(drug).components
    ]


def test_one_code(table: DrugTable) -> None:
    said = rx(table, OXYCODONE_10, text="Oxycodone  10 mg")
    assert said == Identified(table.by_rxcui(OXYCODONE_10), "Oxycodone 10 mg", "rxnorm")


def test_the_label_falls_back_to_the_name(table: DrugTable) -> None:
    assert rx(table, OXYCODONE_10).label == "oxycodone hydrochloride 10 MG Oral Tablet"


@pytest.mark.parametrize("codes", [("7804", OXYCODONE_10), (OXYCODONE_10, "7804")])
def test_the_product_wins_over_its_ingredient(table: DrugTable, codes: tuple[str, str]) -> None:
    said = rx(table, *codes)
    assert (found(said.drug).rxcui, said.conflict) == (OXYCODONE_10, None)


def test_many_brands_and_one_product(table: DrugTable) -> None:
    said = rx(table, "7052", "30236", "203240", "203355", "892596", "892598", "2055303")
    assert (found(said.drug).rxcui, said.conflict) == ("892598", None)


def test_a_product_and_its_branded_twin_agree(table: DrugTable) -> None:
    said = rx(table, "351264", "404413")
    assert (found(said.drug).rxcui, said.conflict) == ("404413", None)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ((OXYCODONE_10, HYDROCODONE_APAP_5), "different drugs"),
        ((OXYCODONE_10, OXYCODONE_5), "different strengths of oxycodone"),
        ((OXYCODONE_10, "1049604"), "different strengths of oxycodone"),  # a tablet and a solution
        ((OXYCODONE_10, "197806"), "different drugs"),  # ibuprofen
        (("7804", "7052"), "different drugs"),
        (("637540", "724614"), "different strengths of oxycodone"),
    ],
)
def test_conflicts(table: DrugTable, codes: tuple[str, ...], words: str) -> None:
    said = rx(table, *codes)
    assert said.conflict is not None
    assert words in said.conflict
    assert found(said.drug).is_a(DrugClass.OPIOID)


def test_codes_that_differ_in_strength_only_leave_the_drug(table: DrugTable) -> None:
    said = rx(table, OXYCODONE_10, OXYCODONE_5)
    assert said.strengths_differ
    assert [c.ingredient for c in found(said.drug).opioids] == ["oxycodone"]
    assert [c.strength for c in found(said.drug).components] == [None]
    assert not rx(table, OXYCODONE_10, HYDROCODONE_APAP_5).strengths_differ


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Adderall XR 20 mg capsule", DrugClass.AMPHETAMINE),
        ("lisdexamfetamine 30 mg", DrugClass.AMPHETAMINE),
        ("RiVive 3 mg nasal spray", DrugClass.RESCUE_ANTAGONIST),
        ("Librium 25 mg capsule", DrugClass.BENZODIAZEPINE),
        ("diphenhydramine 25 mg capsule", DrugClass.OTHER_CNS_DEPRESSANT),
    ],
)
def test_names_of_classes_that_rules_ask_about(
    table: DrugTable, text: str, kind: DrugClass
) -> None:
    assert found(table.by_name(text)).is_a(kind)


def test_what_is_put_on_the_skin_is_no_depressant(table: DrugTable) -> None:
    cream = found(table.by_name("diphenhydramine 2% topical cream"))
    assert not cream.is_a(DrugClass.OTHER_CNS_DEPRESSANT)


def test_a_component_is_within_its_product(table: DrugTable) -> None:
    one_salt = next(d.rxcui for d in table if d.name == "oxycodone terephthalate 0.38 MG")
    assert rx(table, "637540", one_salt).conflict is None


def test_a_partner_is_within_its_product(table: DrugTable) -> None:
    said = rx(table, "161", HYDROCODONE_APAP_5)
    assert (found(said.drug).rxcui, said.conflict) == (HYDROCODONE_APAP_5, None)


def test_non_opioids_never_conflict(table: DrugTable) -> None:
    assert rx(table, "197806", "198145").conflict is None


def test_rxnorm_and_ndc_disagree(table: DrugTable) -> None:
    codes = [Code("RXNORM", OXYCODONE_10), Code("NDC", "00406055201")]
    assert "strengths" in (table.identify(codes, "").conflict or "")


def test_codes_of_other_systems_are_passed_over(table: DrugTable) -> None:
    codes = [Code("SNOMED", "1"), Code("RXNORM", OXYCODONE_10), Code("http://atc", "N02AA05")]
    assert table.identify(codes, "").conflict is None


def test_ingredients_coded_one_by_one_are_a_combination(table: DrugTable) -> None:
    said = rx(table, "5489", "161", text="hydrocodone / acetaminophen 5-325 tablet")
    assert said.conflict is None
    assert strengths(said.drug) == ["acetaminophen 325 mg", "hydrocodone 5 mg"]


def test_buprenorphine_and_naloxone_coded_one_by_one(table: DrugTable) -> None:
    assert found(rx(table, "1819", "7242").drug).oud_only


def test_text_that_names_another_opioid(table: DrugTable) -> None:
    said = rx(table, OXYCODONE_10, text="hydrocodone 10 mg tablet")
    assert said.conflict == "the code says oxycodone, the text hydrocodone"
    assert found(said.drug).rxcui == OXYCODONE_10


def test_an_opioid_in_the_text_beside_a_code_without(table: DrugTable) -> None:
    said = rx(table, "197806", text="oxycodone 5 mg")
    assert said.conflict is not None
    assert said.opioid_by_name


def test_text_with_another_strength_does_not_matter(table: DrugTable) -> None:
    said = rx(table, OXYCODONE_10, text="oxycodone 5 mg tablet")
    assert (said.conflict, strengths(said.drug)) == (None, ["oxycodone 10 mg"])


@pytest.mark.parametrize(
    ("code", "text", "expected", "slow"),
    [
        ("7804", "oxycodone 10 mg tablet", ["oxycodone 10 mg"], False),
        ("7804", "OxyContin 20", ["oxycodone 20 mg"], True),
        ("7804", "oxycodone", ["oxycodone"], False),
        ("7804", "", ["oxycodone"], False),
        ("7804", "ibuprofen 600 mg tablet", ["oxycodone"], False),
        ("203354", "morphine 30 mg", ["morphine 30 mg"], True),
        ("1294794", "fentanyl 25 mcg/hr", ["fentanyl 0.025 mg/h"], True),
        ("1156365", "morphine 10 mg tablet", ["morphine"], False),  # the code says rectal
    ],
)
def test_text_completes_a_group(
    table: DrugTable, code: str, text: str, expected: list[str], slow: bool
) -> None:
    said = rx(table, code, text=text)
    assert strengths(said.drug) == expected
    assert found(said.drug).extended_release is slow
    assert (found(said.drug).rxcui, said.basis) == (code, "rxnorm")


def test_unknown_code_with_an_opioid_name(table: DrugTable) -> None:
    said = rx(table, "1", text="oxycodone 5 mg tablet")
    assert (said.basis, said.opioid_by_name, said.conflict) == ("name", True, None)
    assert strengths(said.drug) == ["oxycodone 5 mg"]


def test_two_opioids_in_the_text(table: DrugTable) -> None:
    said = table.identify([], "oxycodone or morphine")
    assert said.conflict == "the text names several opioids: morphine, oxycodone"
    assert said.opioid_by_name


def test_a_name_without_opioid(table: DrugTable) -> None:
    said = table.identify([], "naloxone nasal spray")
    assert (said.basis, said.opioid_by_name) == ("name", False)


@pytest.mark.parametrize("text", ["", "opioid agreement", "amoxicillin 500 mg"])
def test_nothing(table: DrugTable, text: str) -> None:
    assert table.identify([], text) == Identified(None, text, "none")


def test_what_vendors_call_a_patch_and_a_concentrate(table: DrugTable) -> None:
    worn = table.identify([], "fentaNYL 25 mcg/hr transdermal film, extended release").drug
    assert worn is not None
    assert [(c.ingredient, str(c.strength), c.unit) for c in worn.components] == [
        ("fentanyl", "0.025", "mg/h")
    ]
    poured = table.identify([], "methadone 10 mg/mL concentrate").drug
    assert poured is not None
    assert (poured.route, poured.components[0].unit) == (Route.ORAL, "mg/mL")
    injected = table.identify([], "morphine 25 mg/mL concentrate for injection").drug
    assert injected is not None
    assert injected.route is Route.INJECTION
