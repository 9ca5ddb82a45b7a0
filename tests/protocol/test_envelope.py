"""The prefetch of a body, in the type its reader wants or as it was sent."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cds_service.errors import BadRequest
from cds_service.protocol.messages import read_request
from tests.protocol.hook_requests import body, patient_view


class Ours(msgspec.Struct, forbid_unknown_fields=True):
    """What a reader may want of a prefetch."""

    patient: dict[str, int] | None = None


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("prefetch", "fits"),
    [
        ({"patient": {"a": 1}}, True),
        ({"patient": None}, True),
        ({}, True),
        ({"patient": {"a": "1"}}, False),
        ({"patient": {"a": 1}, "other": 1}, False),
        (None, False),
        ("", False),
    ],
)
def test_a_prefetch_that_fits_its_type_is_read_into_it(
    prefetch: Any, fits: bool, mark: bytes
) -> None:
    sent = mark + body(patient_view(prefetch=prefetch))
    read, usual = read_request(sent, Ours), read_request(sent)
    assert (read.typed == msgspec.convert(prefetch, Ours)) if fits else (read.typed is None)
    assert usual.typed is None
    assert len(read.prefetch) == len(prefetch or {}) and dict(read.prefetch) == dict(usual.prefetch)
    assert [bytes(read.prefetch[key]) for key in read.prefetch] == [
        json.dumps(value).encode() for value in (prefetch or {}).values()
    ]


def test_half_a_character_costs_no_advice() -> None:
    sent = json.dumps(patient_view(prefetch={"note": "cut \ud83d, whole \ud83d\ude00"}, x="\ude00"))
    for kind in (None, Ours):
        read = read_request(sent.encode(), kind)
        assert json.loads(bytes(read.prefetch["note"])) == "cut \ufffd, whole \U0001f600"


def test_half_a_character_beside_a_prefetch_that_fits() -> None:
    sent = json.dumps(patient_view(prefetch={"patient": {"a": 1}}, x="\ude00"))
    read = read_request(sent.encode(), Ours)
    assert read.typed == Ours({"a": 1})
    assert json.loads(bytes(read.prefetch["patient"])) == {"a": 1}


@pytest.mark.parametrize("broken", ["\\ud83", "\\u", "\\x", "\n"])
def test_what_is_broken_otherwise_stays_so(broken: str) -> None:
    sent = json.dumps(patient_view(x="\ud83d!")).replace("!", broken)
    with pytest.raises(BadRequest, match="not valid JSON"):
        read_request(sent.encode())


def test_what_is_wrong_with_a_request_is_said_whatever_type_its_prefetch_should_have() -> None:
    for sent in (b"{", b'{"hook": "\xff"}', b"[]", body(patient_view(prefetch="text"))):
        said = []
        for kind in (None, Ours):
            with pytest.raises(BadRequest) as refused:
                read_request(sent, kind)
            said.append(str(refused.value))
        assert said[0] == said[1]
