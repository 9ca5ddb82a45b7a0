"""Free text: names as whole words, strengths, forms and release words, and what is no drug."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.knowledge.drugs.clues import Clues
from cds_service.knowledge.drugs.model import Component, DrugClass, Route
from cds_service.knowledge.drugs.strengths import Amount, chains
from cds_service.knowledge.drugs.table import DrugTable


@pytest.fixture(scope="module")
def table() -> DrugTable:
    return DrugTable.load()


def said(table: DrugTable, text: str) -> tuple[str, str]:
    drug = table.by_name(text)
    assert drug is not None
    assert (drug.rxcui, drug.tty) == ("", "NAME")
    parts = (
        c.ingredient if c.strength is None else f"{c.ingredient} {c.strength:f} {c.unit}"
        for c in drug.components
    )
    return " + ".join(parts), drug.dose_form


@pytest.mark.parametrize(
    ("text", "ingredients", "form"),
    [
        ("oxycodone 10 mg tablet", "oxycodone 10 mg", "Oral Tablet"),
        ("oxyCODONE HCl 5mg tab", "oxycodone 5 mg", "Oral Tablet"),
        ("Percocet 7.5-325", "acetaminophen 325 mg + oxycodone 7.5 mg", "Oral Tablet"),
        ("Norco 10/325", "acetaminophen 325 mg + hydrocodone 10 mg", "Oral Tablet"),
        ("Norco 10/325 tablets", "acetaminophen 325 mg + hydrocodone 10 mg", "Oral Tablet"),
        (
            "hydrocodone 5 mg / acetaminophen 325 mg tablet",
            "acetaminophen 325 mg + hydrocodone 5 mg",
            "Oral Tablet",
        ),
        (
            "hydrocodone-APAP 5-325 mg per tablet",
            "acetaminophen 325 mg + hydrocodone 5 mg",
            "Oral Tablet",
        ),
        ("hydrocodone 5-325", "acetaminophen 325 mg + hydrocodone 5 mg", "Oral Tablet"),
        (
            "hydrocodone-acetaminophen 7.5-325 mg/15 mL solution",
            "acetaminophen 21.7 mg/mL + hydrocodone 0.5 mg/mL",
            "Oral Solution",
        ),
        ("hydrocodone-acetaminophen 5 mg", "acetaminophen + hydrocodone 5 mg", ""),
        ("morphine 20 mg/5 mL oral solution", "morphine 4 mg/mL", "Oral Solution"),
        ("MS Contin 15 mg", "morphine 15 mg", "Extended Release Oral Tablet"),
        ("MSContin 15 mg", "morphine 15 mg", "Extended Release Oral Tablet"),
        (
            "MORPHINE ER 20 MG CAPSULE,EXTENDED RELEASE PELLETS",
            "morphine 20 mg",
            "Extended Release Oral Capsule",
        ),
        ("fentanyl 25 mcg/hr patch", "fentanyl 0.025 mg/h", "Transdermal System"),
        ("fentanyl 25 mcg patch", "fentanyl 0.025 mg/h", "Transdermal System"),
        ("Duragesic 75", "fentanyl 0.075 mg/h", "Transdermal System"),
        ("fentanyl 12.5 mcg/hr", "fentanyl 0.012 mg/h", "Transdermal System"),
        ("Subsys 400 mcg/spray", "fentanyl 0.4 mg/{actuat}", "Mucosal Spray"),
        ("Butrans 10 mcg per hour", "buprenorphine 0.01 mg/h", "Transdermal System"),
        ("Suboxone 8 mg-2 mg SL film", "buprenorphine 8 mg + naloxone 2 mg", "Sublingual Film"),
        ("Suboxone 8-2 films", "buprenorphine 8 mg + naloxone 2 mg", "Sublingual Film"),
        ("Sublocade 300 mg/1.5 mL", "buprenorphine 200 mg/mL", "Prefilled Syringe"),
        ("methadone 40 mg dispersible tablet", "methadone 40 mg", "Tablet for Oral Suspension"),
        ("Tylenol #3", "acetaminophen 300 mg + codeine 30 mg", "Oral Tablet"),
        ("Tylenol No. 3", "acetaminophen 300 mg + codeine 30 mg", "Oral Tablet"),
        ("TYLENOL NO 3 TABS", "acetaminophen 300 mg + codeine 30 mg", "Oral Tablet"),
        ("Tylenol-Codeine No.3", "acetaminophen 300 mg + codeine 30 mg", "Oral Tablet"),
        ("Tylenol with codeine #4 tablet", "acetaminophen 300 mg + codeine 60 mg", "Oral Tablet"),
        ("Tylenol 3 tablets", "acetaminophen", "Oral Tablet"),
        ("prednisone 10 mg", "prednisone 10 mg", "Oral Tablet"),
    ],
)
def test_names_with_strengths(table: DrugTable, text: str, ingredients: str, form: str) -> None:
    assert said(table, text) == (ingredients, form)


@pytest.mark.parametrize(
    "text",
    [
        "oxycodone",
        "oxycodone 11 mg tablet",  # no such product
        "oxycodone 5 mg tablet, take 10 mg",  # two numbers, one strength
        "oxycodone 3 tablets",
        "oxycodone IR 9 mg",  # 9 mg is only extended release
        "oxycodone 325 mg",
        "Xartemis",  # a brand with one strength, but none is said
    ],
)
def test_a_strength_is_never_guessed(table: DrugTable, text: str) -> None:
    drug = table.by_name(text)
    assert drug is not None
    assert [c.strength for c in drug.opioids] == [None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "opioid agreement",
        "morphine milligram equivalents",
        "codeine-free cough syrup",
        "non-codeine antitussive",
        "methadone screen",
        "dimorphine",
        "no Percocet",
    ],
)
def test_no_drug(table: DrugTable, text: str) -> None:
    assert table.by_name(text) is None


def test_naloxone_is_no_opioid(table: DrugTable) -> None:
    drug = table.by_name("Naloxone (Narcan) 4 mg nasal spray")
    assert drug is not None
    assert not drug.opioids
    assert drug.is_a(DrugClass.RESCUE_ANTAGONIST)


def test_buprenorphine_with_naloxone_is_treatment(table: DrugTable) -> None:
    drug = table.by_name("buprenorphine/naloxone")
    assert drug is not None
    assert drug.oud_only
    assert not drug.is_a(DrugClass.RESCUE_ANTAGONIST)


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("morphine 3 mg injection", Route.INJECTION),
        ("oxycodone 10 mg tablet", Route.ORAL),
        ("fentanyl patch", Route.TRANSDERMAL),
        ("fentanyl lozenge", Route.BUCCAL),
        ("lidocaine 5% patch", Route.TRANSDERMAL),
        ("hydrocortisone 1% cream", Route.TOPICAL),
        ("oxycodone and morphine", Route.UNKNOWN),
        ("alfentanil tablet", Route.UNKNOWN),
    ],
)
def test_routes(table: DrugTable, text: str, route: Route) -> None:
    drug = table.by_name(text)
    assert drug is not None
    assert drug.route is route


@pytest.mark.parametrize(
    ("text", "slow"),
    [
        ("tramadol ER 100 mg", True),
        ("tramadol 50 mg", False),
        ("oxycodone 12 hr 10 mg", True),
        ("oxycodone 80 mg tablet", True),  # made as extended release only
        ("codeine ER", True),  # no such product, but the word stands
        ("methadone 10 mg", True),
        ("methadone", True),  # by mouth or not said
        ("Dolophine 90 mg", True),
        ("methadone injection", False),
    ],
)
def test_release(table: DrugTable, text: str, slow: bool) -> None:
    drug = table.by_name(text)
    assert drug is not None
    assert drug.extended_release is slow


@pytest.mark.parametrize(
    ("text", "ingredients", "form"),
    [
        ("Sublocade 300 mg", "buprenorphine", "Prefilled Syringe"),
        ("Kadian 25 mg", "morphine 25 mg", "Extended Release Oral Capsule"),
        ("OxyContin 25 mg", "oxycodone", "Extended Release Oral Tablet"),
        ("Duragesic 200", "fentanyl", "Transdermal System"),
        (
            "Duragesic lozenge 400 mcg",
            "fentanyl 0.4 mg",
            "Oral Lozenge",
        ),  # the form is not the brand's
    ],
)
def test_a_brand_keeps_its_form_in_a_strength_it_has_not(
    table: DrugTable, text: str, ingredients: str, form: str
) -> None:
    assert said(table, text) == (ingredients, form)


@pytest.mark.parametrize(
    ("text", "steroid"), [("hydrocortisone 1% cream", False), ("hydrocortisone 10 mg tablet", True)]
)
def test_a_cream_is_no_systemic_steroid(table: DrugTable, text: str, steroid: bool) -> None:
    drug = table.by_name(text)
    assert drug is not None
    assert drug.is_a(DrugClass.SYSTEMIC_CORTICOSTEROID) is steroid


def test_every_opioid_product_reads_as_itself_or_without_strength(table: DrugTable) -> None:
    for drug in table:
        if drug.tty in ("SCD", "SBD") and drug.opioids:
            read = table.by_name(drug.name)
            assert read is not None, drug.name
            own = {(c.ingredient, c.strength, c.unit) for c in drug.opioids}
            unknown = {(c.ingredient, None, None) for c in drug.opioids}
            assert {(c.ingredient, c.strength, c.unit) for c in read.opioids} in (own, unknown), (
                drug.name
            )
            assert (read.route, read.oud_only) == (
                drug.route,
                drug.oud_only,
            ) or drug.route is Route.OTHER


@pytest.mark.parametrize(
    "text",
    [
        *(
            "12 hr",
            "5%",
            "10 ml",
            "x 30",
            "#30",
            "every 4-6 hours",
            "1-2 tablets",
            "3 capsules",
            "q6h",
        ),
        *("80 actuat", "2.5.1 mg", "30 ct"),
    ],
)
def test_numbers_that_are_no_strengths(text: str) -> None:
    assert chains(text) == ()


def test_a_volume_of_nothing_is_passed_over() -> None:
    assert [{str(a.value) for a in chain} for chain in chains("5 mg/0 mL")] == [{"5"}]


def test_a_number_fits_no_unknown_strength() -> None:
    assert not Amount(Fraction(5), "mg").fits(Component("oxycodone", "7804"))


def test_form_words_without_a_route() -> None:
    assert Clues.read("tablet").route is Route.UNKNOWN
