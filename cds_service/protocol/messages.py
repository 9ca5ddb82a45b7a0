"""The request of a CDS Hooks call: decoded, checked, freed of what clients send by habit.

The prefetch values and the draft orders stay as the bytes they were, but for a prefetch that fits the
type its reader knows: that is decoded at once. Every fault is a BadRequest that names the member,
never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeGuard
from urllib.parse import urlsplit

import msgspec

from cds_service.errors import BadRequest
from cds_service.protocol.envelope import Context, Raw, opened, prefetched
from cds_service.protocol.schema import faults_of

_SELECT = "order-select"
ORDER_HOOKS = frozenset({_SELECT, "order-sign"})
_LAY = re.compile(r"(?:^|/)(?:Patient|RelatedPerson)/")
_CONFIGURATION = "davinci-crd.configuration"
_UUID = "^([uU][rR][nN]:[uU][uU][iI][dD]:)?[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
_EMPTY: tuple[Any, ...] = (None, "", {}, [], msgspec.UNSET)


@dataclass(frozen=True, slots=True)
class Authorization:
    """A usable `fhirAuthorization`. The token never prints and lives for one request."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call. `prefetch` holds the keys that were sent, `null` included; absent keys are
    unknown. `typed` is the same in the type that was asked for, None where it does not fit.
    """

    hook: str
    hook_instance: str  # a UUID, bare and in lower case
    patient_id: str  # without `Patient/`
    user_id: str
    encounter_id: str = ""
    selections: tuple[str, ...] | None = None
    draft_orders: Raw | None = field(default=None, repr=False)
    prefetch: Mapping[str, Raw] = field(default_factory=dict, repr=False)
    fhir_server: str = ""  # to be asked: without a trailing slash
    authorization: Authorization | None = None
    configuration: Mapping[str, bool | int] = field(
        default_factory=dict
    )  # options of coverage discovery
    notes: tuple[str, ...] = ()  # what was tolerated, for the log
    typed: Any = field(default=None, repr=False)

    @property
    def stripped(self) -> bool:
        """An order hook without its orders, as a client sends it whose registration does
        not match.
        """
        return self.hook in ORDER_HOOKS and self.draft_orders is None

    @property
    def unadvised(self) -> str:
        """Why nothing is said whatever the chart holds; empty where it is read.

        Cards are written for professionals: a patient's portal may call with the patient, or someone
        close to them, as its user.
        """
        if _LAY.search(self.user_id):
            return "the user is a patient or a related person"
        return "order hook without draftOrders" if self.stripped else ""


class _SoundContext(msgspec.Struct):
    userId: str
    patientId: str
    encounterId: str = ""
    selections: list[str] = []


class _Sound(msgspec.Struct):
    """`schemas/request.json` once more, thirty times as fast; a test holds the two together."""

    hook: str
    hookInstance: Annotated[str, msgspec.Meta(pattern=_UUID)]
    context: _SoundContext
    fhirServer: str = ""


def read_request(body: bytes, prefetch: type[msgspec.Struct] | None = None) -> HookRequest:
    """Decode and check the body of a service call, its prefetch into that type if it fits. Raises
    BadRequest.
    """
    body, envelope = opened(body, prefetch)
    context, hook = envelope.context, envelope.hook
    known = _present(envelope, "hook", "hookInstance", "fhirServer")
    if isinstance(context, Context):
        selecting = ("selections",) if hook == _SELECT else ()  # no other hook has the member
        known["context"] = _present(context, "userId", "patientId", "encounterId", *selecting)
    if not sound(known):
        raise BadRequest("; ".join(faults_of("request", known)))
    assert isinstance(context, Context)
    notes: list[str] = []
    named = _fhir_server(known.get("fhirServer", ""))
    patient_id = _bare(known["context"]["patientId"], "Patient/")
    if not patient_id:
        raise BadRequest("context.patientId: must not be empty")
    granted = _authorization(envelope.fhirAuthorization, named, patient_id, notes)
    sent, typed = prefetched(body, envelope)
    return HookRequest(
        hook=known["hook"],
        hook_instance=known["hookInstance"].lower().removeprefix("urn:uuid:"),
        patient_id=patient_id,
        user_id=known["context"]["userId"],
        encounter_id=_bare(known["context"].get("encounterId", ""), "Encounter/"),
        selections=_selections(known["context"]),
        draft_orders=_resource("context.draftOrders", context.draftOrders)
        if hook in ORDER_HOOKS
        else None,
        prefetch=sent,
        # a server that wants a token is not asked without one
        fhir_server="" if notes else named,
        authorization=granted,
        configuration=_configuration(envelope.extension),
        notes=tuple(notes),
        typed=typed,
    )


def sound(known: dict[str, Any]) -> bool:
    """Whether the members pass their schema; what is wrong with them is for the schema to say."""
    try:
        msgspec.convert(known, _Sound)
    except msgspec.ValidationError:
        return False
    return True


def _present(struct: msgspec.Struct, *names: str) -> dict[str, Any]:
    """The members that have a value; an empty one stands for none."""
    found = {name: getattr(struct, name) for name in names}
    return {name: value for name, value in found.items() if value not in _EMPTY}


def _bare(text: str, kind: str) -> str:
    """An id, also of a reference: without type, base and version.

    >>> _bare("https://ehr.example.org/Patient/1/_history/2", "Patient/"), _bare("1", "Patient/")
    ('1', '1')
    """
    _, typed, rest = text.rpartition(kind)
    return rest.partition("/")[0] if typed else text


def _selections(context: dict[str, Any]) -> tuple[str, ...] | None:
    """References such as `MedicationRequest/1`; None when all drafts count as selected."""
    return tuple(context["selections"]) if "selections" in context else None


def _resource(where: str, raw: Raw | msgspec.UnsetType | None) -> Raw | None:
    """A JSON object as it was sent, None for an empty value."""
    if not isinstance(raw, Raw):
        return None
    first = bytes(memoryview(raw)[:3])
    if first in (b"nul", b'""', b"{}"):
        return None
    if first.startswith(b"{"):
        return raw
    raise BadRequest(f"{where}: must be an object")


def _fhir_server(url: str) -> str:
    """A base URL without its trailing slash. Raises BadRequest unless it is an http(s) URL
    of a host.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if (
        not usable
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
        or any(c.isspace() for c in url)
    ):
        raise BadRequest("fhirServer: must be the base URL of a FHIR server")
    return url.rstrip("/")


def _authorization(
    sent: Any, server: str, patient_id: str, notes: list[str]
) -> Authorization | None:
    """The token to call back with, None when there is none or it cannot be used."""
    if sent in _EMPTY:
        return None
    if not isinstance(sent, dict):
        notes.append("fhirAuthorization is not an object")
        return None
    other = sent.get("patient")
    if isinstance(other, str) and other and _bare(other, "Patient/") != patient_id:
        raise BadRequest(
            "fhirAuthorization.patient: the token is for another patient than the context"
        )
    if not server:
        notes.append("fhirAuthorization without fhirServer")
        return None
    token, kind, lifetime = sent.get("access_token"), sent.get("token_type"), sent.get("expires_in")
    if not _is_token(token):
        notes.append("fhirAuthorization without a usable access_token")
        return None
    if not isinstance(kind, str) or kind.lower() != "bearer":
        notes.append("fhirAuthorization without token_type Bearer")
        return None
    if not _lives(lifetime):
        notes.append("fhirAuthorization has expired")
        return None
    return Authorization(token)


def _configuration(extension: Any) -> dict[str, bool | int]:
    """The options a request sets, by code, sent as an object or as a list of codes and values."""
    every = extension if isinstance(extension, list) else [extension]
    sent = next(
        (e[_CONFIGURATION] for e in every if isinstance(e, dict) and _CONFIGURATION in e), None
    )
    if isinstance(sent, list):
        pairs = [(each.get("code"), each.get("value")) for each in sent if isinstance(each, dict)]
    else:
        pairs = list(sent.items()) if isinstance(sent, dict) else []
    return {
        code: value
        for code, value in pairs
        if isinstance(code, str) and isinstance(value, bool | int)
    }


def _is_token(token: Any) -> TypeGuard[str]:
    """Whether it can stand in an Authorization header."""
    return (
        isinstance(token, str)
        and token != ""
        and token.isascii()
        and token.isprintable()
        and " " not in token
    )


def _lives(expires_in: Any) -> bool:
    """Whether a lifetime in seconds, a number or a numeral, is not over; unknown counts as
    alive, and so does one beyond all measure.
    """
    try:
        return float(expires_in) > 0
    except (TypeError, ValueError, OverflowError):
        return True
