"""New key pairs and their public halves, for clients that we play ourselves in tests and trials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.key_sets import BadKeySet
from cds_service.tokens import KINDS

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = 3072
_CURVES: Mapping[str | None, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


def new_pair(algorithm: str, key_id: str = "") -> dict[str, Any]:
    """A private JWK for one of our algorithms; without an id it gets a random one."""
    kind, curve = KINDS[algorithm]
    if kind == "EC":
        drawn = ec.generate_private_key(_CURVES[curve])
        jwk: dict[str, Any] = ECAlgorithm.to_jwk(drawn, as_dict=True)
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
        jwk = RSAAlgorithm.to_jwk(private, as_dict=True)
    jwk.pop("key_ops", None)  # of a private key, which would not fit its public half
    return {**jwk, "kid": key_id or str(uuid4()), "alg": algorithm, "use": "sig"}


def public_set(document: str) -> dict[str, Any]:
    """The JWKS of the public halves of a JWK or JWKS. Raises BadKeySet."""
    try:
        held = json.loads(document)
        keys = held.get("keys", [held])
        halves = [
            {name: value for name, value in key.items() if name not in _PRIVATE} for key in keys
        ]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadKeySet("not a JWK or JWKS") from None
    return {"keys": [half for half in halves if half.get("kty") in ("EC", "RSA")]}
