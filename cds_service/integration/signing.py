"""The JWT with which a client names itself to a CDS service."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt

from cds_service.errors import CdsError
from cds_service.integration.remote import Sign
from cds_service.tokens import KINDS

_LIFETIME = 300  # seconds


class BadKey(CdsError):
    """A file that holds no private key we can sign with."""


def signer(issuer: str, key_file: Path, clock: Callable[[], datetime], jku: str = "") -> Sign:
    """Sign for each URL anew; `key_file` is a private JWK, or a set whose first is taken.
    Raises BadKey.
    """
    try:
        held: Any = json.loads(key_file.read_text(encoding="utf-8"))
        jwk = held["keys"][0] if "keys" in held else held
        made = (jwk["kty"], jwk.get("crv"))
        fitting = [name for name, needed in KINDS.items() if needed == made]
        algorithm = jwk.get("alg", fitting[0])
        key = jwt.PyJWK.from_dict(jwk, algorithm).key
        private = "d" in jwk
    except (OSError, ValueError, LookupError, TypeError, RecursionError, jwt.PyJWTError):
        raise BadKey(
            f"{key_file.name}: a private JWK of type EC (P-384 or P-256) or RSA is needed"
        ) from None
    if not private:
        raise BadKey(f"{key_file.name}: the private part of the key is missing")
    header = {"kid": jwk.get("kid", ""), **({"jku": jku} if jku else {})}

    def sign(url: str) -> str:
        now = int(clock().timestamp())
        claims = {
            "iss": issuer,
            "aud": url,
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": str(uuid4()),
        }
        return "Bearer " + jwt.encode(claims, key, algorithm, headers=header)

    return sign
