"""Diagnoses that are sent in words, or with the codes of another house alone."""

from __future__ import annotations

from typing import Any

from cds_service.clinical.facts import Need
from cds_service.knowledge.codes import Code
from tests.fhir.calls import facts, mine


def test_a_diagnosis_in_words_is_known_by_a_name_of_ours_or_named_as_unread() -> None:
    def in_words(identity: str, text: str | None, **members: Any) -> dict[str, Any]:
        return mine("Condition", identity, code={"text": text} if text else {}, **members)

    found = facts(
        Need.CONDITIONS,
        in_words("known", "DORSALGIA,  unspecified"),
        in_words("doubted", "Dorsalgia?"),
        in_words("denied", "Gout", verificationStatus={"coding": [{"code": "refuted"}]}),
        in_words("wordless", None),
    )
    assert [(c.ref, c.codes) for c in found.conditions] == [
        ("Condition/known", {Code("ICD10CM", "M54")})
    ]
    assert [(gap.ref, gap.why) for gap in found.unread] == [
        ("Condition/doubted", "the diagnosis is given in words")
    ]


def test_words_tell_a_diagnosis_only_where_no_code_of_a_known_system_does() -> None:
    coding = {"code": "724.5", "display": "Dorsalgia"}
    foreign, known = "http://hl7.org/fhir/sid/icd-9-cm", "http://snomed.info/sct"

    def coded(system: str, **members: Any) -> dict[str, Any]:
        return mine("Condition", "c", code={"coding": [{"system": system, **coding}], **members})

    assert len(facts(Need.CONDITIONS, coded(foreign)).conditions) == 1
    assert facts(Need.CONDITIONS, coded(known)).conditions == ()
    assert facts(Need.CONDITIONS, coded(foreign, text="no dorsalgia")).conditions == ()
