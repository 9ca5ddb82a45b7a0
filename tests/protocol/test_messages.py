"""What a service call must hold, and what is tolerated in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.errors import BadRequest
from cds_service.protocol.messages import read_request, sound
from cds_service.protocol.schema import faults_of
from tests.protocol.hook_requests import INSTANCE, OXYCODONE, body, order_sign, patient_view

TOKEN = "canary-token"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.rs",
    "subject": "cds",
}
SERVER = "https://ehr.example.org/fhir"


def context(**members: Any) -> dict[str, Any]:
    merged = {"userId": "Practitioner/example", "patientId": "canary"} | members
    return {name: value for name, value in merged.items() if value is not ...}


def test_a_whole_request_is_read() -> None:
    sent = order_sign(
        OXYCODONE,
        prefetch={"patient": None, "conditions": {"resourceType": "Bundle"}},
        fhirServer=SERVER,
    )
    read = read_request(body(sent))
    assert (read.hook, read.hook_instance, read.patient_id) == ("order-sign", INSTANCE, "canary")
    assert read.user_id == "Practitioner/example"
    assert read.draft_orders is not None
    assert not read.stripped
    assert {key: bytes(raw) for key, raw in read.prefetch.items()} == {
        "patient": b"null",
        "conditions": b'{"resourceType": "Bundle"}',
    }
    assert read.fhir_server == SERVER


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (b"", "empty"),
        (b"{", "not valid JSON"),
        (b"not json", "not valid JSON"),
        (b"[]", "^not a CDS Hooks request: must be an object$"),
        (b"null", "^not a CDS Hooks request: must be an object$"),
        (b'"text"', "^not a CDS Hooks request: must be an object$"),
        (b'{"hook": "\xff\xfe"}', "UTF-8"),
        (b'{"unread": "\xff\xfe"}', "UTF-8"),
        (b'{"unread": ' + b"[" * 100_000, "nested"),
        (b"[" * 100_000, "object"),
        (b'{"hook": NaN}', "not valid JSON"),
    ],
)
def test_what_is_no_request_is_refused(sent: bytes, named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        read_request(sent)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"hook": ...}, "hook: is required"),
        ({"hook": ""}, "hook: is required"),
        ({"hook": 7}, "hook: must be a string"),
        ({"hookInstance": ...}, "hookInstance: is required"),
        ({"hookInstance": "abc"}, "hookInstance: must be a UUID"),
        ({"context": ...}, "context: is required"),
        ({"context": None}, "context: is required"),
        ({"context": "text"}, "^context: must be an object$"),
        ({"context": []}, "^context: must be an object$"),
        ({"context": context(patientId=...)}, "context.patientId: is required"),
        ({"context": context(userId=...)}, "context.userId: is required"),
        ({"context": context(patientId=12)}, "context.patientId: must be a string"),
        ({"context": context(patientId="Patient/")}, "context.patientId"),
        ({"prefetch": "text"}, "^prefetch: must be an object$"),
        ({"prefetch": []}, "^prefetch: must be an object$"),
        ({"prefetch": 5}, "^prefetch: must be an object$"),
        ({"fhirServer": "not a url"}, "fhirServer"),
        ({"fhirServer": "ftp://ehr.example.org"}, "fhirServer"),
        ({"fhirServer": "https://user:secret@ehr.example.org"}, "fhirServer"),
        ({"fhirServer": "https://ehr.example.org:99999/fhir"}, "fhirServer"),
        ({"fhirServer": "https://ehr.example.org/fhir?x=1"}, "fhirServer"),
        ({"fhirServer": 5}, "fhirServer"),
        (
            {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION | {"patient": "other"}},
            "another patient",
        ),
    ],
)
def test_a_fault_names_the_member(members: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        read_request(body(patient_view(**members)))


def test_a_fault_never_quotes_a_value() -> None:
    sent = patient_view(
        hookInstance="Canaryvale",
        context={"patientId": {"name": "Canaryvale"}},
        fhirServer=["Canaryvale"],
    )
    with pytest.raises(BadRequest) as caught:
        read_request(body(sent))
    assert "Canaryvale" not in str(caught.value)


@pytest.mark.parametrize(
    "spelling", [INSTANCE, INSTANCE.upper(), f"urn:uuid:{INSTANCE}", f"URN:UUID:{INSTANCE.upper()}"]
)
def test_hook_instances_are_read_in_every_spelling(spelling: str) -> None:
    assert read_request(body(patient_view(hookInstance=spelling))).hook_instance == INSTANCE


@pytest.mark.parametrize(
    "patient",
    ["canary", "Patient/canary", f"{SERVER}/Patient/canary", "Patient/canary/_history/2"],
)
def test_the_patient_prefix_is_stripped(patient: str) -> None:
    granted = AUTHORIZATION | {"patient": patient}
    for sent in (
        patient_view(context=context(patientId=patient)),
        patient_view(fhirServer=SERVER, fhirAuthorization=granted),
    ):
        assert read_request(body(sent)).patient_id == "canary"


@pytest.mark.parametrize(
    "encounter", ["e1", "Encounter/e1", f"{SERVER}/Encounter/e1", "Encounter/e1/_history/2"]
)
def test_the_encounter_prefix_is_stripped(encounter: str) -> None:
    sent = patient_view(context=context(encounterId=encounter))
    assert read_request(body(sent)).encounter_id == "e1"


def test_a_byte_order_mark_is_no_fault() -> None:
    assert read_request(b"\xef\xbb\xbf" + body(patient_view())).patient_id == "canary"


def test_ids_may_be_long() -> None:
    assert (
        len(read_request(body(patient_view(context=context(patientId="e" * 90)))).patient_id) == 90
    )


@pytest.mark.parametrize("empty", [None, "", {}])
def test_empty_optional_members_stand_for_none(empty: Any) -> None:
    sent = patient_view(
        fhirServer=empty,
        fhirAuthorization=empty,
        prefetch=empty,
        extension=empty,
        context=context(encounterId=empty, selections=empty, draftOrders=empty),
    )
    read = read_request(body(sent))
    assert (read.fhir_server, read.encounter_id, read.selections, read.prefetch) == (
        "",
        "",
        None,
        {},
    )
    assert read.authorization is None
    assert read.draft_orders is None


@pytest.mark.parametrize("extension", [{"com.example": 1}, [1, 2], "text"])
def test_unknown_members_are_ignored(extension: Any) -> None:
    sent = patient_view(extension=extension, unknown=1, context=context(unknown={"a": []}))
    assert read_request(body(sent)).patient_id == "canary"


def test_the_token_never_prints() -> None:
    read = read_request(
        body(patient_view(fhirServer=SERVER + "/", fhirAuthorization=AUTHORIZATION))
    )
    assert read.authorization is not None
    assert read.authorization.token == TOKEN
    assert TOKEN not in repr(read)
    assert read.fhir_server == SERVER


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"access_token": ...}, "access_token"),
        ({"access_token": "two words"}, "access_token"),
        ({"token_type": ...}, "token_type"),
        ({"token_type": "mac"}, "token_type"),
        ({"expires_in": 0}, "expired"),
        ({"expires_in": "-5"}, "expired"),
    ],
)
def test_an_unusable_authorization_is_noted_not_refused(change: dict[str, Any], note: str) -> None:
    granted = {name: value for name, value in (AUTHORIZATION | change).items() if value is not ...}
    read = read_request(body(patient_view(fhirServer=SERVER, fhirAuthorization=granted)))
    assert (read.authorization, read.fhir_server) == (None, "")
    assert note in "".join(read.notes)


@pytest.mark.parametrize(
    "change",
    [
        {"token_type": "bearer"},
        {"expires_in": "300"},
        {"expires_in": None},
        {"expires_in": 10**400},
        {"scope": 5},
    ],
)
def test_a_sloppy_authorization_is_used(change: dict[str, Any]) -> None:
    read = read_request(
        body(patient_view(fhirServer=SERVER, fhirAuthorization=AUTHORIZATION | change))
    )
    assert read.authorization is not None


def test_an_authorization_without_a_server_is_ignored() -> None:
    read = read_request(body(patient_view(fhirAuthorization=AUTHORIZATION)))
    assert read.authorization is None
    assert read.notes == ("fhirAuthorization without fhirServer",)


def test_an_authorization_that_is_no_object_is_ignored() -> None:
    read = read_request(body(patient_view(fhirServer=SERVER, fhirAuthorization="token")))
    assert (read.authorization, read.fhir_server) == (None, "")


@pytest.mark.parametrize("none", [None, "", {}])
def test_a_server_may_be_open_to_anyone(none: Any) -> None:
    read = read_request(body(patient_view(fhirServer=SERVER, fhirAuthorization=none)))
    assert (read.authorization, read.fhir_server, read.notes) == (None, SERVER, ())


VALUES = st.sampled_from(
    [
        "order-sign",
        INSTANCE,
        f"urn:uuid:{INSTANCE}",
        f"{INSTANCE}0",
        1,
        True,
        1.5,
        None,
        ["a"],
        ["a", 1],
        {"a": 1},
    ]
)
CONTEXTS = st.dictionaries(
    st.sampled_from(["userId", "patientId", "encounterId", "selections", "other"]), VALUES
)
ENVELOPES = st.dictionaries(
    st.sampled_from(["hook", "hookInstance", "fhirServer", "other"]), VALUES
)


@given(ENVELOPES, CONTEXTS | VALUES | st.none())
@example({"hook": "x", "hookInstance": INSTANCE}, {"userId": "u", "patientId": "p"})
@example({"hook": "x", "hookInstance": "x"}, {"userId": "u", "patientId": "p"})
def test_what_is_sound_is_what_the_schema_passes(envelope: dict[str, Any], context: Any) -> None:
    known = envelope | ({} if context is None else {"context": context})
    assert sound(known) == (not faults_of("request", known))
