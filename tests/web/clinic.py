"""A service with a memory of its own, a user who signs opioids, and what the chart may hold."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text

from cds_service.answer import Answer
from cds_service.clients import ANYONE, Client
from cds_service.memory.schema import upgrade
from cds_service.memory.store import Memory
from cds_service.service import Service
from tests.protocol.hook_requests import OXYCODONE, PATIENT, body, order_sign, patient_view
from tests.web.test_service import NOTHING, keys

SERVICE = "opioid-safety"
PATHWAY = "low-back-pain"
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
JUDGEMENT = {"reason": {"system": HL7, "code": "risk-benefit-ratio"}}  # 90 days
EMERGENT = {"reason": {"system": "urn:cds-service:override-reason", "code": "emergent"}}  # none


class Clinic:
    """A service with a memory of its own, and a user who signs an opioid."""

    def __init__(self, service: Service, url: str) -> None:
        upgrade(url)
        self.url, self.memory = url, Memory(url)
        parts = (
            service.settings,
            service.knowledge,
            service.vocabulary,
            service.rules,
            service.library,
        )
        self.service = Service(*parts, memory=self.memory)
        self.empty = dict.fromkeys(keys(service, SERVICE, "order-sign"), NOTHING) | {
            "patient": PATIENT
        }

    def sign(
        self,
        *drafts: dict[str, Any],
        user: str = "Practitioner/1",
        on: date | None = None,
        client: Client = ANYONE,
        instance: str = "",
        **prefetch: Any,
    ) -> Answer:
        sent = order_sign(*(drafts or (OXYCODONE,)), prefetch=self.empty | prefetch)
        sent["hookInstance"] = instance or str(uuid4())
        sent["context"]["userId"] = user
        answer = self.service.respond(SERVICE, body(sent), as_of=on, client=client)
        self.memory.flush()
        return answer

    def view(self, **prefetch: Any) -> Answer:
        """The back pain pathway of the same patient and user."""
        known = dict.fromkeys(keys(self.service, PATHWAY, "patient-view"), NOTHING)
        sent = patient_view(prefetch=known | {"patient": PATIENT} | prefetch)
        sent["hookInstance"] = str(uuid4())
        sent["context"]["userId"] = "Practitioner/1"
        answer = self.service.respond(PATHWAY, body(sent))
        self.memory.flush()
        return answer

    def override(
        self, answer: Answer, card: str, why: dict[str, Any] = JUDGEMENT, **members: Any
    ) -> None:
        uuid = next(each.uuid for each in answer.trace.cards if each.card == card)
        item = {"card": uuid, "outcome": "overridden", "outcomeTimestamp": "2024-03-01T10:00:00Z"}
        self.service.feedback(
            answer.trace.service, body({"feedback": [item | {"overrideReason": why} | members]})
        )

    def rows(self, query: str) -> list[Any]:
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(query))]
        engine.dispose()
        return found


def cards(answer: Answer) -> set[str]:
    return {card["source"]["topic"]["code"] for card in answer.body["cards"]}


def times_a_day(number: int) -> dict[str, Any]:
    """The oxycodone of the sample, 10 mg so often: 15 MME each."""
    order = deepcopy(OXYCODONE)
    order["dosageInstruction"][0]["timing"]["repeat"]["frequency"] = number
    return order


def drug(code: str, name: str, **members: Any) -> dict[str, Any]:
    coding = {
        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "code": code,
        "display": name,
    }
    order = {key: value for key, value in OXYCODONE.items() if key != "dosageInstruction"}
    return order | {"medicationCodeableConcept": {"coding": [coding]}} | members


DIAZEPAM = drug(
    "197591", "diazepam 5 MG Oral Tablet", id="benzo", status="active", authoredOn="2024-02-20"
)
GABAPENTIN = drug(
    "310431", "gabapentin 300 MG Oral Capsule", id="gaba", status="active", authoredOn="2024-02-20"
)


def chart(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r} for r in resources],
    }


def said(answer: Answer) -> set[str]:
    """The criteria that speak."""
    reasons = (
        card.get("extension", {}).get("cds-service.reasons", ()) for card in answer.body["cards"]
    )
    return {each["criterion"] for found in reasons for each in found}


APNEA = {
    "resourceType": "Condition",
    "id": "apnea",
    "subject": {"reference": "Patient/canary"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G47.33"}]},
}
OVERDOSE = APNEA | {
    "id": "overdose",
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "T40.2X1A"}]},
    "onsetDateTime": "2023-01-01",
}


def problem(code: str) -> dict[str, Any]:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}
    return APNEA | {"id": code, "onsetDateTime": "2023-10-01", "code": {"coding": [coding]}}


BACK_PAIN, CANCER_ONCE = problem("M54.50"), problem("Z85.46")
REFERRAL = "pain-specialist-referral"
TAKEN = OXYCODONE | {"id": "taken", "status": "active", "authoredOn": "2024-02-20"}
