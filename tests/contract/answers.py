"""The recorded answers to one request, one for each client profile.

`python -m tests.contract.answers` records them anew; read the difference before it is committed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.assembly import load_service
from cds_service.clients import Client
from cds_service.protocol.profiles import Profile
from cds_service.service import Service
from cds_service.settings import Mode, Settings
from cds_service.shipped import shipped
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign

SERVICE, HOOK, AS_OF = "opioid-safety", "order-sign", date(2024, 3, 1)
PREFERENCES = (("naloxone", "12345"), ("physical-therapy-referral", "PT_AMB"))  # of Epic alone
DIAZEPAM = {
    "resourceType": "MedicationRequest",
    "id": "rx0",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/canary"},
    "authoredOn": "2024-01-01",
    "medicationCodeableConcept": {
        "coding": [
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "197591",
                "display": "diazepam 5 MG Oral Tablet",
            }
        ]
    },
}


def folder() -> Path:
    """Where the answers are."""
    return shipped("fhir_fixtures") / "answers"


def request(keys: Mapping[str, Any]) -> dict[str, Any]:
    """An order of oxycodone 10 mg six times a day beside diazepam, with every key sent."""
    found = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": DIAZEPAM}]}
    prefetch = dict.fromkeys(keys) | {"patient": PATIENT, "medicationRequests": found}
    return deepcopy(order_sign(OXYCODONE, prefetch=prefetch))


def asked(service: Service) -> dict[str, Any]:
    """The request with the keys that discovery asks for."""
    entries = service.discovery()["services"]
    return request(next(e for e in entries if (e["id"], e["hook"]) == (SERVICE, HOOK))["prefetch"])


def answer(service: Service, profile: Profile, sent: dict[str, Any]) -> Any:
    """What a client of that profile is answered, as JSON."""
    client = Client("recorded", profile=profile, preference_list=PREFERENCES)
    given = service.respond(SERVICE, body(sent), client=client, as_of=AS_OF)
    return json.loads(json.dumps(given.body, default=float))


def record() -> None:
    """Write the request and the answers."""
    service = load_service(Settings(mode=Mode.TEST))
    sent = asked(service)
    folder().mkdir(parents=True, exist_ok=True)
    for name, content in {
        "request": sent,
        **{p.value: answer(service, p, sent) for p in Profile},
    }.items():
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (folder() / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    record()
