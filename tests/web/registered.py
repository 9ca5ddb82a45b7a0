"""A clients file with everything in it, and a client as a site registers it."""

from __future__ import annotations

import json
from pathlib import Path

from cds_service.clients import Client
from tests.web.signed import pair, public

WHOLE = """\
clients:
  st-elsewhere:
    issuer: https://ehr.example.org
    jku: https://ehr.example.org/jwks.json
    tenant: north
    algorithms: [ES384, PS384]
    audiences: [our-cds]
    fhir: https://ehr.example.org/fhir/
    allow_private: [10.20.0.0/16]
    services: [low-back-pain, opioid-safety]
    profile: epic
    prefetch: {observations: "Observation?patient={{context.patientId}}&category=laboratory"}
    preference_list: {naloxone: 12345, naproxen: NAP_500}
    payers: {Plan Seven: healthpartners}
    silent: [opioid-dose]
    rollout: {pdmp-review: 25}
    origins: ["https://ehr.example.org"]
    limits: {requests_per_minute: 300, concurrent: 4, body_mb: 8, entries: 500, depth: 50}
  small:
    issuer: https://small.example.org
    keys: keys.json
    profile: 2.0
    silent: all
"""
CLIENT = Client(
    "st-elsewhere",
    issuer="https://ehr.example.org",
    jku="https://ehr.example.org/jwks.json",
    fhir="https://ehr.example.org/fhir",
)


def file(folder: Path, text: str = WHOLE) -> Path:
    (folder / "keys.json").write_text(json.dumps({"keys": public(pair("ES384", "k"))}))
    path = folder / "clients.yaml"
    path.write_text(text)
    return path
