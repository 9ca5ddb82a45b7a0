"""Who the demo EHR is where clients must name themselves: one more client, with a key pair that
lives and ends with the process.
"""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import uuid4

import jwt
from flask import Flask, current_app

from cds_service.clients import Client
from cds_service.jwk_pairs import new_pair, public_set
from cds_service.key_sets import read_keys
from cds_service.service import Service

NAME = "demo EHR"  # no id that a clients file may give
_ALGORITHM = "ES384"
_LIFETIME = 60  # seconds
_EXTENSION = "cds-demo-identity"


class Identity:
    """The private key of the demo EHR, and the client that its public half is registered for."""

    def __init__(self, service: Service) -> None:
        self._pair = new_pair(_ALGORITHM)
        self._issuer = f"urn:uuid:{uuid4()}"
        self._base, self._now = service.settings.base_url, service.settings.now
        published = json.dumps(public_set(json.dumps(self._pair))).encode()
        self.client = Client(NAME, issuer=self._issuer, keys=read_keys(published))

    def authorization(self, path: str) -> str:
        """The header of one call."""
        now = int(self._now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._base + path,
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": str(uuid4()),
        }
        key: Any = jwt.PyJWK.from_dict(self._pair, _ALGORITHM)
        signed = jwt.encode(claims, key, _ALGORITHM, headers={"kid": self._pair["kid"]})
        return f"Bearer {signed}"


def register_identity(app: Flask, service: Service) -> None:
    """Make the page a client, unless anyone may call."""
    if not service.registry.open:
        identity = Identity(service)
        service.registry.enrol(identity.client)
        app.extensions[_EXTENSION] = identity


def credentials(path: str) -> dict[str, str]:
    """The headers by which the page names itself when it calls a path."""
    identity = cast("Identity | None", current_app.extensions.get(_EXTENSION))
    return {"Authorization": identity.authorization(path)} if identity else {}
