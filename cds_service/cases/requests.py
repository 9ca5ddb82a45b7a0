"""Case lines that are orders, plans and payer business, made FHIR R4."""

from __future__ import annotations

from cds_service.cases.dosage import amount, dosages
from cds_service.cases.words import (
    HL7,
    QUANTITY,
    Line,
    LineError,
    Resource,
    Words,
    coded,
    period,
    plain,
    put,
    start,
)

_PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction"


def _dispense_request(line: Line) -> Resource | None:
    said = line.get("supply")
    found: Resource = {}
    for words in said if isinstance(said, (list, tuple)) else () if said is None else (said,):
        match = QUANTITY.match(str(words))
        if match is None:
            raise LineError(f"a supply is `30 days` or `60 tablets`, not {words!r}")
        if match[2] in ("day", "days"):
            found["expectedSupplyDuration"] = amount(match[1], "days", code="d")
        else:
            found["quantity"] = amount(match[1], match[2])
    return put(found, numberOfRepeatsAllowed=line.get("refills")) or None


def _instructions(line: Line) -> list[Resource] | None:
    if "sig" in line and "sig_text" in line:
        raise LineError("a line has a sig or a sig_text, not both")
    if "sig_text" in line:
        return [{"text": str(line["sig_text"])}]
    return dosages(str(line["sig"])) if "sig" in line else None


def medication_request(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a medication request."""
    put(
        resource,
        status=line.get("status", "draft" if line.get("draft") else "active"),
        intent="order",
        medicationCodeableConcept=words.concept(line["MedicationRequest"]),
        authoredOn=start(line),
        dosageInstruction=_instructions(line),
        dispenseRequest=_dispense_request(line),
        reasonCode=words.concepts(line.get("reason")),
        priorPrescription={"reference": f"MedicationRequest/{line['replaces']}"}
        if "replaces" in line
        else None,
    )


def medication_dispense(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a medication dispense."""
    supply = (_dispense_request(line) or {}).get("expectedSupplyDuration")
    put(
        resource,
        status=line.get("status", "completed"),
        medicationCodeableConcept=words.concept(line["MedicationDispense"]),
        whenHandedOver=start(line),
        daysSupply=supply,
    )


def medication_statement(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a medication statement."""
    put(
        resource,
        status=line.get("status", "active"),
        medicationCodeableConcept=words.concept(line["MedicationStatement"]),
        effectivePeriod=period(line),
        dosage=_instructions(line),
    )


def request(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a request."""
    kind = resource["resourceType"]
    put(
        resource,
        status=line.get("status", "draft" if line.get("draft") else "active"),
        intent="order",
        authoredOn=start(line),
        reasonCode=words.concepts(line.get("reason")),
    )
    resource["code" if kind == "ServiceRequest" else "codeCodeableConcept"] = words.concept(
        line[kind]
    )
    if "specialty" in line:
        resource["performerType"] = words.concept(line["specialty"])
    if "value" in line:
        resource["quantityQuantity"] = {"value": line["value"]}


def care_plan(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a care plan."""
    put(
        resource,
        status=line.get("status", "active"),
        intent="plan",
        category=[words.concept(line["CarePlan"])],
        created=plain(line.get("on")),
        period=period(line) if "from" in line else None,
    )


def coverage(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a coverage."""
    name = str(line["Coverage"])
    put(
        resource,
        status=line.get("status", "active"),
        period=period(line),
        contained=[{"resourceType": "Organization", "id": "payor", "name": name}],
        payor=[{"reference": "#payor", "display": name}],
    )


def claim(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a claim."""
    put(
        resource,
        status=line.get("status", "active"),
        type=words.concept(line["Claim"]),
        use=line.get("category", "preauthorization"),
        created=start(line),
        provider={"display": "Clinic"},
        priority=coded(HL7 + "processpriority", "normal"),
        insurance=[{"sequence": 1, "focal": True, "coverage": {"display": "Plan"}}],
    )
    if "value" in line:
        category = coded("urn:cds-service:claim-info", "submission-complete")
        resource["supportingInfo"] = [
            {"sequence": 1, "category": category, "valueBoolean": line["value"]}
        ]
    if "reason" in line:
        resource["item"] = [
            {
                "sequence": number,
                "productOrService": service,
                "servicedDate": plain(line.get("to", start(line))),
            }
            for number, service in enumerate(words.concepts(line["reason"]) or (), start=1)
        ]


def claim_response(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a claim response."""
    action = coded("https://codesystem.x12.org/005010/306", str(line.get("value", "A1")))
    review = {"url": _PAS, "extension": [{"url": _PAS + "Code", "valueCodeableConcept": action}]}
    adjudication = {"category": coded(HL7 + "adjudication", "submitted"), "extension": [review]}
    put(
        resource,
        status=line.get("status", "active"),
        type=words.concept(line["ClaimResponse"]),
        use=line.get("category", "preauthorization"),
        created=start(line),
        insurer={"display": "Plan"},
        outcome="complete",
        request={"reference": f"Claim/{line['replaces']}"} if "replaces" in line else None,
        item=[{"itemSequence": 1, "adjudication": [adjudication]}],
    )
