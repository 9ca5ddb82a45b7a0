"""Every error this service raises on purpose.

    CdsError
    ├── KnowledgeError      a knowledge or card file is wrong: file, line, what, what is allowed
    ├── SettingsError       an environment setting is wrong
    ├── RequestError        a call we refuse; carries the HTTP status
    │   ├── BadRequest      400
    │   ├── NotAuthorized   401
    │   ├── Forbidden       403
    │   ├── UnknownService  404
    │   ├── MissingData     412
    │   ├── TooLarge        413
    │   ├── WrongMediaType  415
    │   ├── TooBusy         429
    │   └── Draining        503
    └── FhirReadError       a FHIR server did not give what was asked; becomes a missing need
        └── FhirNotFound    it has no such resource

`web/errors.py` maps them to statuses and `cli` to exit codes. A message never holds a patient's
value.
"""

from __future__ import annotations


class CdsError(Exception):
    """The root of every error raised on purpose."""


class KnowledgeError(CdsError):
    """A data file or card is wrong.

    >>> print(KnowledgeError("opioid.yaml", 3, "unknown key 'valeu'", "value, values"))
    opioid.yaml:3: unknown key 'valeu' (allowed: value, values)
    """

    def __init__(self, file: str, line: int | None, what: str, allowed: str | None = None) -> None:
        self.file, self.line, self.what, self.allowed = file, line, what, allowed
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {what}" + (f" (allowed: {allowed})" if allowed else ""))


class SettingsError(CdsError):
    """A setting is missing, malformed or not allowed in this mode."""


class RequestError(CdsError):
    """A call that is refused. `code` is the FHIR issue type of the OperationOutcome.

    `retry_after` is in seconds, where trying again can help.
    """

    status = 400
    code = "invalid"
    retry_after: int | None = None


class BadRequest(RequestError):
    """The body is not a CDS Hooks request."""


class NotAuthorized(RequestError):
    """No JWT, or one that is not accepted; the caller is never told why, the log is.

    `issuer`, `tenant` and `token_id` are what the token says of itself, true or not.
    """

    status = 401
    code = "login"

    def __init__(
        self, reason: str = "", *, issuer: str = "", tenant: str = "", token_id: str = ""
    ) -> None:
        super().__init__("Not authorized.")
        self.reason, self.issuer, self.tenant, self.token_id = reason, issuer, tenant, token_id


class Forbidden(RequestError):
    """A known client that may not call this service."""

    status = 403
    code = "forbidden"


class UnknownService(RequestError):
    """No such service, page or method."""

    status = 404
    code = "not-found"


class MissingData(RequestError):
    """Nothing could be evaluated because needed data could not be obtained."""

    status = 412
    code = "incomplete"


class TooLarge(RequestError):
    """The body, its nesting or its number of entries is beyond the limit."""

    status = 413
    code = "too-long"


class WrongMediaType(RequestError):
    """The body is not JSON by its Content-Type, or it is encoded."""

    status = 415
    code = "not-supported"


class TooBusy(RequestError):
    """The client already has as many calls in hand as it may."""

    status = 429
    code = "throttled"
    retry_after = 1


class Draining(RequestError):
    """This worker finishes what it has begun and takes no more."""

    status = 503
    code = "transient"
    retry_after = 1


class FhirReadError(CdsError):
    """A FHIR read or search failed; the need it served is unavailable, never empty."""


class FhirNotFound(FhirReadError):
    """The server has no such resource; of the patient of the call, none that can be advised on."""
