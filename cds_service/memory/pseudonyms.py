"""Names that stand for patients, users and what they take: keyed hashes, the same in every
worker.
"""

from __future__ import annotations

from hashlib import blake2b

_BYTES = 16  # of a name: 128 bits
_MARK_HEX = 10  # of a mark that is only ever compared with marks of the same patient


class Pseudonyms:
    """Hashes under one key. A patient of one client shares no name with one of another client."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        as_long_as_may_be = blake2b(key).digest()
        self._keyed = blake2b(key=as_long_as_may_be, digest_size=_BYTES)  # of nothing yet

    def patient(self, client: str, patient_id: str) -> str:
        """The name of a patient, by the id without its type."""
        return self._hash("patient", client, patient_id.removeprefix("Patient/"))

    def person(self, client: str, user_id: str) -> str:
        """The name of a user, by a reference such as `Practitioner/1`."""
        return self._hash("person", client, user_id)

    def mark(self, patient: str, thing: str) -> str:
        """A short mark of a drug or an order of one patient, who is given by pseudonym."""
        return self._hash("mark", patient, thing)[:_MARK_HEX]

    def __repr__(self) -> str:
        return "Pseudonyms(***)"

    def _hash(self, *parts: str) -> str:
        found = self._keyed.copy()
        found.update("\x1f".join(parts).encode("utf-8", "surrogatepass"))
        return found.hexdigest()
