"""Codes match whole or by prefix, and sets are made of sets."""

from __future__ import annotations

from pathlib import Path
from weakref import ref

import pytest

from cds_service.knowledge.codes import Code, Sorting, ValueSet
from cds_service.knowledge.loader import gather, load_knowledge
from cds_service.knowledge.model import Knowledge
from tests.knowledge.conftest import REVIEWED, Write


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def test_prefixes_match_longer_codes_and_exact_codes_only_themselves(root: Path) -> None:
    knowledge = load_knowledge(root)
    back = knowledge.valueset("back")
    for text in ("M54.5", "M54.50", "M5459", "m54.50"):
        assert knowledge.code("http://hl7.org/fhir/sid/icd-10-cm", text) in back, text
    for text in ("M54", "M54.6", "M54.90", "M54.4"):
        assert knowledge.code("http://hl7.org/fhir/sid/icd-10-cm", text) not in back, text
    assert knowledge.code("urn:oid:2.16.840.1.113883.6.96", "279039007") in back
    assert back.displays[Code("ICD10CM", "M545")] == "Low back pain"
    assert back.says == "Back pain."


def test_include_and_except(root: Path, write: Write) -> None:
    write(
        "valuesets/out.yaml",
        f"says: x\nsource: guide\ncodes: |\n  ICD10CM#M54.50\n  ICD10CM#M54.9*\n{REVIEWED}",
    )
    write(
        "valuesets/some.yaml", f"says: x\nsource: guide\ninclude: [back]\nexcept: [out]\n{REVIEWED}"
    )
    write("valuesets/whole.yaml", f"says: x\nsource: guide\ninclude: [some, listed]\n{REVIEWED}")
    knowledge = load_knowledge(root)
    for name in ("some", "whole"):
        found = knowledge.valueset(name)
        assert Code("ICD10CM", "M5459") in found
        assert Code("ICD10CM", "M5450") not in found
        assert Code("ICD10CM", "M549") not in found
    assert Code("LOINC", "97909-6") in knowledge.valueset("whole")


def test_contradicting_includes_are_refused(root: Path, write: Write) -> None:
    write("valuesets/out.yaml", f"says: x\nsource: guide\ncodes: [ICD10CM#M54.9]\n{REVIEWED}")
    write(
        "valuesets/some.yaml", f"says: x\nsource: guide\ninclude: [back]\nexcept: [out]\n{REVIEWED}"
    )
    write("valuesets/both.yaml", f"says: x\nsource: guide\ninclude: [some, back]\n{REVIEWED}")
    write(
        "valuesets/less.yaml",
        f"says: x\nsource: guide\ninclude: [back]\nexcept: [some]\n{REVIEWED}",
    )
    assert [(fault.line, fault.what) for fault in gather(root).reading.faults] == [
        (3, "ICD10CM#M549 is in back and left out of some"),
        (4, "the excepted set some leaves codes out itself"),
    ]


@pytest.mark.parametrize(
    ("name", "system", "code", "within"),
    [
        ("low-back-pain", "ICD10CM", "M5450", True),
        ("low-back-pain", "ICD10CM", "M546", False),
        ("redflag-cancer-any", "ICD10CM", "C50911", True),
        ("redflag-cancer-any", "ICD10CM", "C4491", False),
        ("redflag-cancer-any", "ICD10CM", "Z853", True),
        ("redflag-cancer-any", "ICD10CM", "Z85828", False),
        ("redflag-cancer-any", "SNOMED", "254837009", True),
        ("active-cancer", "ICD10CM", "C50911", True),
        ("active-cancer", "ICD10CM", "Z853", False),
        ("active-cancer", "ICD10CM", "C4491", False),
        ("depression", "ICD10CM", "F320", True),
        ("depression", "ICD10CM", "F325", False),
        ("depression", "ICD10CM", "F3342", False),
        ("pregnancy", "ICD10CM", "O2690", True),
        ("anticoagulant-status", "ICD10CM", "Z7901", True),
        ("opioid-use-remission", "ICD10CM", "F1121", True),
        ("opioid-use-remission", "ICD10CM", "F1120", False),
        ("opioid-misuse-disorders", "SNOMED", "191865004", True),  # retired, still in charts
        ("fentanyl-type-urine-drug-screening-tests", "LOINC", "3637-6", True),
        ("all-urine-drug-screening-tests", "LOINC", "101809-2", True),
        (
            "conditions-documenting-substance-misuse",
            "ICD10CM",
            "Z7142",
            False,
        ),  # counseling of family
        ("opioid-office-visit", "SNOMED", "185463005", True),
        ("hospice-disposition", "SNOMED", "428361000124107", True),
    ],
)
def test_codes_of_our_sets(
    knowledge: Knowledge, name: str, system: str, code: str, within: bool
) -> None:
    assert (Code(system, code) in knowledge.valueset(name)) is within


def test_every_spelling_of_a_system_is_read(knowledge: Knowledge) -> None:
    for url in (
        "http://snomed.info/sct",
        "https://snomed.info/sct",
        "urn:oid:2.16.840.1.113883.6.96",
    ):
        assert knowledge.code(url, "1").system == "SNOMED"
    assert knowledge.code("http://hl7.org/fhir/sid/icd-10-cm/", "m54.50") == Code(
        "ICD10CM", "M5450"
    )
    assert (
        knowledge.code("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "L0625").system
        == "HCPCS"
    )
    assert knowledge.code("http://hl7.org/fhir/sid/icd-10", "M54.50") == Code("ICD10CM", "M5450")
    assert knowledge.code("https://bluebutton.cms.gov/resources/codesystem/hcpcs", "62323") == Code(
        "CPT", "62323"
    )
    assert knowledge.code("urn:oid:2.16.840.1.113883.6.69", "0023-6011-60") == Code(
        "NDC", "00023601160"
    )
    for spelled in (
        "RxNorm",
        "rxnorm",
        "http://www.nlm.nih.gov/research/umls/RxNorm",
        "HTTP://LOINC.ORG/",
    ):
        assert knowledge.code(spelled, "7804").system in ("RXNORM", "LOINC"), spelled
    assert knowledge.code("http://example.org/local", "x") == Code("http://example.org/local", "x")
    assert set(knowledge.system_urls) == {
        "RXNORM",
        "NDC",
        "SNOMED",
        "ICD10CM",
        "LOINC",
        "CPT",
        "HCPCS",
        "NUCC",
        "CVX",
    }


def test_a_code_goes_by_the_name_of_its_nearest_category() -> None:
    named = {Code("ICD10CM", text): text for text in ("M5", "M54", "M541", "M545")}
    back = ValueSet("back", prefixes=frozenset(named), displays=named)
    called = [back.called(Code("ICD10CM", text)) for text in ("M5450", "M549", "M51", "S325")]
    assert called == [(4, "M545"), (3, "M54"), (0, ""), (0, "")]


@pytest.mark.parametrize("sorting", [False, True], ids=["a set", "several sets"])
def test_which_codes_were_asked_about_is_not_remembered_for_ever(*, sorting: bool) -> None:
    back = ValueSet("back", exact=frozenset({Code("ICD10CM", "M549")}))
    ask = Sorting((back,)).of if sorting else back.any_of
    asked = frozenset({Code("ICD10CM", "M549"), Code("SNOMED", "1")})
    first, gone = ask(asked), ref(asked)
    del asked
    for number in range(4096):
        ask(frozenset({Code("SNOMED", f"{number}")}))
    assert gone() is None
    again = frozenset({Code("ICD10CM", "M549"), Code("SNOMED", "1")})
    assert ask(again) == first == (frozenset({"back"}) if sorting else True)
