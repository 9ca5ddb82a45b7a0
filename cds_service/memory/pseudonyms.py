"""Names that stand for patients, users and what they take: keyed hashes, the same in every
worker.
"""

from __future__ import annotations

import hmac

_HEX = 32  # characters of a name kept: 128 bits
_MARK_HEX = 10  # of a mark that is only ever compared with marks of the same patient


class Pseudonyms:
    """Hashes under one key. A patient of one client shares no name with one of another client."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def patient(self, client: str, patient_id: str) -> str:
        """The name of a patient, by the id without its type."""
        return self._hash("patient", client, patient_id.removeprefix("Patient/"))[:_HEX]

    def person(self, client: str, user_id: str) -> str:
        """The name of a user, by a reference such as `Practitioner/1`."""
        return self._hash("person", client, user_id)[:_HEX]

    def mark(self, patient: str, thing: str) -> str:
        """A short mark of a drug or an order of one patient, who is given by pseudonym."""
        return self._hash("mark", patient, thing)[:_MARK_HEX]

    def __repr__(self) -> str:
        return "Pseudonyms(***)"

    def _hash(self, *parts: str) -> str:
        text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256").hex()
