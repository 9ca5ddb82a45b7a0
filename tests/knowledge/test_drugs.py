"""The packaged drug table: what it holds, marks, and finds by code, by NDC and by all
codings together.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import OPIOID_INGREDIENTS, Drug, DrugClass, Route
from cds_service.knowledge.drugs.table import DrugTable
from tests.pace import allowed

OXYCODONE_10 = "1049683"
OXYCODONE_5 = "1049621"
HYDROCODONE_APAP_5 = "857002"


@pytest.fixture(scope="module")
def table() -> DrugTable:
    return DrugTable.load()


def found(drug: Drug | None) -> Drug:
    assert drug is not None
    return drug


def strengths(drug: Drug | None) -> list[str]:
    return [
        c.ingredient if c.strength is None else f"{c.ingredient} {c.strength:f} {c.unit}"
        for c in found(drug).components
    ]


class TestSize:
    def test_loads_within_a_tenth_of_a_second(self) -> None:
        DrugTable.load()
        gc.collect()
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            DrugTable.load()
            seconds.append(time.perf_counter() - start)
        assert min(seconds) < allowed(0.3)

    def test_takes_less_than_25_mb_with_every_drug_parsed(self) -> None:
        tracemalloc.start()
        try:
            table = DrugTable.load()
            drugs = list(table)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(drugs) == len(table)
        assert held < 25_000_000

    def test_version_names_release_and_content(self, table: DrugTable) -> None:
        assert table.version.startswith("rxnorm-2025-10-06-")
        assert table.version == DrugTable.load().version


class TestContent:
    def test_counts(self, table: DrugTable) -> None:
        types = Counter(drug.tty for drug in table)
        classes = Counter(c for drug in table for c in drug.classes)
        assert set(types) == {
            *(
                "IN",
                "PIN",
                "MIN",
                "SCDC",
                "SCDF",
                "SCDG",
                "SCD",
                "SBDC",
                "SBDF",
                "SBD",
                "BN",
                "GPCK",
                "BPCK",
            )
        }
        assert classes[DrugClass.OPIOID] > 2_200
        assert classes[DrugClass.BENZODIAZEPINE] > 290
        assert set(DrugClass) == set(classes)

    def test_every_opioid_is_a_canonical_ingredient(self, table: DrugTable) -> None:
        for drug in table:
            assert drug.is_a(DrugClass.OPIOID) == bool(drug.opioids), drug
            assert {c.ingredient for c in drug.opioids} <= OPIOID_INGREDIENTS

    def test_a_code_of_a_group_is_an_ingredient_code(self, table: DrugTable) -> None:
        for drug in table:
            for component in drug.components:
                if component.rxcui:
                    assert found(table.by_rxcui(component.rxcui)).tty == "IN"

    def test_every_opioid_product_has_strengths_and_a_route(self, table: DrugTable) -> None:
        for drug in table:
            if drug.tty in ("SCD", "SBD", "GPCK", "BPCK") and drug.opioids:
                assert all(c.strength and c.unit for c in drug.opioids), drug
                assert drug.route is not Route.UNKNOWN, drug

    def test_two_salts_of_one_opioid_are_two_components(self, table: DrugTable) -> None:
        assert strengths(table.by_rxcui("637540")) == [
            "aspirin 325 mg",
            "oxycodone 4.5 mg",
            "oxycodone 0.38 mg",
        ]

    def test_opium_tincture_has_the_strength_of_its_morphine(self, table: DrugTable) -> None:
        assert strengths(table.by_rxcui("830196")) == ["opium 10 mg/mL"]
        assert strengths(table.by_rxcui("312104")) == [
            "belladonna alkaloids 16.2 mg",
            "opium 30 mg",
        ]

    def test_an_iontophoretic_system_is_no_patch(self, table: DrugTable) -> None:
        assert found(table.by_rxcui("1666831")).route is Route.OTHER

    def test_a_pack_has_the_form_of_what_is_in_it(self, table: DrugTable) -> None:
        pack = found(table.by_rxcui("1740007"))
        assert (pack.tty, pack.dose_form, pack.route) == ("GPCK", "Mucosal Spray", Route.SUBLINGUAL)
        assert strengths(pack) == ["fentanyl 0.6 mg/{actuat}"]

    def test_a_titration_pack_has_no_strength(self, table: DrugTable) -> None:
        assert strengths(table.by_rxcui("2398511")) == ["gabapentin"]

    def test_sealed_volume(self, table: DrugTable) -> None:
        assert found(table.by_rxcui("2720806")).sealed_ml == Decimal("0.5")
        assert found(table.by_rxcui("2639721")).sealed_ml is None

    def test_unknown_code(self, table: DrugTable) -> None:
        assert table.by_rxcui("1") is None
        assert table.by_rxcui(f" {OXYCODONE_10} ") is table.by_rxcui(OXYCODONE_10)

    def test_threads_get_the_same_drug(self) -> None:
        table = DrugTable.load()
        with ThreadPoolExecutor(8) as pool:
            drugs = list(pool.map(lambda _: table.by_rxcui(OXYCODONE_10), range(64)))
        assert all(drug is drugs[0] for drug in drugs)


class TestClasses:
    def test_naloxone_beside_an_opioid_rescues_nobody(self, table: DrugTable) -> None:
        for drug in table:
            names = {c.ingredient for c in drug.components}
            if "naloxone" in names and len(names) > 1:
                assert not drug.is_a(DrugClass.RESCUE_ANTAGONIST), drug

    @pytest.mark.parametrize(
        ("code", "rescue"),
        [
            ("1725059", True),  # naloxone nasal spray
            ("1191222", True),  # naloxone injection
            ("2639721", True),  # nalmefene nasal spray
            ("2720806", True),  # nalmefene auto-injector
            ("7242", True),  # naloxone, the ingredient
            ("1725056", True),  # naloxone, inhalant product
            ("343216", False),  # naloxone 0.5 mg, only in tablets with an opioid
            ("351266", False),  # buprenorphine and naloxone
            ("7243", False),  # naltrexone
            ("1551777", False),  # naloxegol
        ],
    )
    def test_rescue(self, table: DrugTable, code: str, rescue: bool) -> None:
        drug = found(table.by_rxcui(code))
        assert drug.is_a(DrugClass.OPIOID_ANTAGONIST)
        assert drug.is_a(DrugClass.RESCUE_ANTAGONIST) is rescue

    @pytest.mark.parametrize(
        ("code", "systemic"),
        [
            ("198145", True),  # prednisone tablet
            ("8640", True),  # prednisone
            ("22584", True),  # Depo-Medrol
            ("846192", True),  # dexamethasone pack
            ("310891", False),  # hydrocortisone cream
            ("1668241", False),  # budesonide capsule acts in the gut
            ("833505", False),  # lotion and shampoo
        ],
    )
    def test_only_steroids_by_mouth_or_needle_are_systemic(
        self, table: DrugTable, code: str, systemic: bool
    ) -> None:
        drug = table.by_rxcui(code)
        assert (drug is not None and drug.is_a(DrugClass.SYSTEMIC_CORTICOSTEROID)) is systemic

    @pytest.mark.parametrize(
        ("code", "classes"),
        [
            ("25480", {DrugClass.GABAPENTINOID, DrugClass.OTHER_NONOPIOID}),
            ("161", {DrugClass.OTHER_NONOPIOID}),
            (HYDROCODONE_APAP_5, {DrugClass.OPIOID}),
            ("994237", {DrugClass.OPIOID, DrugClass.BARBITURATE}),
            ("854873", {DrugClass.Z_DRUG}),
            ("485440", {DrugClass.Z_DRUG}),
            ("352257", {DrugClass.OTHER_CNS_DEPRESSANT}),
            ("197806", {DrugClass.NSAID}),
            ("855332", {DrugClass.ANTICOAGULANT}),
            ("309362", {DrugClass.ANTIPLATELET_P2Y12}),
            ("105585", {DrugClass.IMMUNOSUPPRESSANT}),
            ("828348", {DrugClass.MUSCLE_RELAXANT}),
            ("596930", {DrugClass.ANTIDEPRESSANT, DrugClass.OTHER_NONOPIOID}),
            ("1191", set()),
        ],
    )
    def test_classes(self, table: DrugTable, code: str, classes: set[DrugClass]) -> None:
        assert found(table.by_rxcui(code)).classes == classes

    def test_eye_drops_are_no_treatment_for_a_back(self, table: DrugTable) -> None:
        assert found(table.by_name("ketorolac ophthalmic solution")).classes == frozenset()


class TestMarks:
    @pytest.mark.parametrize(
        ("code", "slow"),
        [
            ("1049502", True),  # oxycodone 12 HR tablet
            (OXYCODONE_10, False),
            ("197696", True),  # fentanyl patch
            ("904876", True),  # buprenorphine patch
            ("864706", True),  # methadone tablet
            ("6813", True),  # methadone, the ingredient
            ("864714", False),  # methadone injection
            ("203354", True),  # MS Contin, the brand
            ("220606", False),  # Ultram: both kinds
            ("385094", True),  # Oxycodone Er, an untyped group
            ("1087459", True),  # hydrocodone polistirex suspension
            ("668364", False),  # fentanyl buccal tablet
        ],
    )
    def test_extended_release(self, table: DrugTable, code: str, slow: bool) -> None:
        assert found(table.by_rxcui(code)).extended_release is slow

    @pytest.mark.parametrize(
        ("code", "oud"),
        [
            ("1010603", True),  # Suboxone film
            ("404414", True),  # Subutex
            ("351264", True),  # buprenorphine sublingual tablet
            ("351266", True),  # buprenorphine and naloxone tablet
            ("1431083", True),  # Zubsolv
            ("1542396", True),  # Bunavail
            ("1996189", True),  # Sublocade
            ("2639027", True),  # Brixadi
            ("1797655", True),  # Probuphine
            ("352364", True),  # buprenorphine / naloxone
            ("353390", True),  # buprenorphine 2 mg
            ("864978", True),  # methadone 40 mg for suspension
            ("670009", True),  # Diskets
            ("1716063", False),  # Belbuca
            ("904878", False),  # Butrans
            ("205533", False),  # Buprenex
            ("1819", False),  # buprenorphine
            ("864706", False),  # methadone 10 mg
            ("343216", False),  # naloxone alone is no opioid
        ],
    )
    def test_for_opioid_use_disorder_only(self, table: DrugTable, code: str, oud: bool) -> None:
        assert found(table.by_rxcui(code)).oud_only is oud


class TestNdc:
    @pytest.mark.parametrize("ndc", ["00406055201", "0406-0552-01", "0406055201", " 00406055201 "])
    def test_forms(self, table: DrugTable, ndc: str) -> None:
        assert found(table.by_ndc(ndc)).rxcui == OXYCODONE_5

    @pytest.mark.parametrize("ndc", ["00000000000", "99999999999", "12345", "", "0406-0552", "abc"])
    def test_unknown(self, table: DrugTable, ndc: str) -> None:
        assert table.by_ndc(ndc) is None

    def test_first_and_last(self, table: DrugTable) -> None:
        assert found(table.by_ndc("00004005801")).name == "clonazepam 1 MG Oral Tablet [Klonopin]"

    def test_ten_digits_that_may_be_several_opioids(self, table: DrugTable) -> None:
        """7288800800 is tramadol 50 mg or 100 mg."""
        code = Code("NDC", "7288800800")
        assert table.by_ndc(code.code) is None
        said = table.identify([Code("urn:house", "1"), code], "Pain tablet")
        assert (said.basis, said.strengths_differ, said.label) == ("ndc", True, "Pain tablet")
        assert [c.ingredient for c in found(said.drug).opioids] == ["tramadol"]
        assert table.identify([Code("NDC", "0000000000"), code], "").strengths_differ
        named = table.identify([code], "tramadol 50 mg tablet")
        assert (named.basis, named.conflict) == ("name", None)

    def test_identified_by_ndc(self, table: DrugTable) -> None:
        said = table.identify([Code("NDC", "00406055201")], "")
        assert (said.basis, found(said.drug).rxcui) == ("ndc", OXYCODONE_5)
