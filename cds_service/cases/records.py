"""Case lines that record what was found or done, made FHIR R4."""

from __future__ import annotations

from cds_service.cases.dosage import amount
from cds_service.cases.words import (
    HL7,
    QUANTITY,
    Line,
    Resource,
    Words,
    coded,
    period,
    plain,
    put,
    start,
)

_VERIFICATIONS = (
    "unconfirmed",
    "provisional",
    "differential",
    "confirmed",
    "refuted",
    "entered-in-error",
)


def condition(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a condition."""
    status = str(line.get("status", "active"))
    resource["code"] = words.concept(line["Condition"])
    clinical = [word for word in status.split() if word not in (*_VERIFICATIONS, "none")]
    checked = [word for word in status.split() if word in _VERIFICATIONS]
    if clinical:
        resource["clinicalStatus"] = coded(HL7 + "condition-clinical", clinical[0])
    if checked:
        resource["verificationStatus"] = coded(HL7 + "condition-ver-status", checked[0])
    put(
        resource,
        onsetDateTime=plain(line.get("from")),
        recordedDate=plain(line.get("on")),
        abatementDateTime=plain(line.get("to")),
    )


def observation(resource: Resource, line: Line, words: Words) -> None:
    """Fill in an observation."""
    put(
        resource,
        status=line.get("status", "final"),
        code=words.concept(line["Observation"]),
        effectiveDateTime=start(line),
    )
    value = line.get("value")
    if isinstance(value, bool):
        resource["valueBoolean"] = value
    elif value is not None and (match := QUANTITY.match(str(value))):
        resource["valueQuantity"] = amount(match[1], match[2], code=match[2])
    elif value is not None and "#" in str(value):
        resource["valueCodeableConcept"] = words.concept(value)
    elif value is not None:
        resource["valueString"] = str(value)


def procedure(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a procedure."""
    put(
        resource,
        status=line.get("status", "completed"),
        code=words.concept(line["Procedure"]),
        performedDateTime=plain(line.get("on")),
        performedPeriod=period(line) if "from" in line or "to" in line else None,
    )


def encounter(resource: Resource, line: Line, words: Words) -> None:
    """Fill in an encounter."""
    resource.pop("encounter", None)
    resource["class"] = {"system": HL7 + "v3-ActCode", "code": line.get("category", "AMB")}
    specialty = words.concept(line["specialty"]) if "specialty" in line else None
    put(
        resource,
        status=line.get("status", "finished"),
        type=[words.concept(line["Encounter"])],
        period=period(line),
        reasonCode=words.concepts(line.get("reason")),
        serviceType=specialty,
    )
    if specialty is not None:
        resource["contained"] = [
            {"resourceType": "PractitionerRole", "id": "role", "specialty": [specialty]}
        ]
        resource["participant"] = [{"individual": {"reference": "#role"}}]


def document(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a document."""
    day = start(line)
    put(
        resource,
        status=line.get("status", "current"),
        type=words.concept(line["DocumentReference"]),
        date=f"{day}T12:00:00Z" if day else None,
        content=[{"attachment": {"contentType": "text/plain"}}],
    )


def goal(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a goal."""
    value = line.get("value")
    put(
        resource,
        lifecycleStatus=line.get("status", "active"),
        description=words.concept(line["Goal"]),
        statusDate=plain(line.get("on")),
        startDate=plain(line.get("from")),
        achievementStatus=coded(HL7 + "goal-achievement", str(value)) if value else None,
    )


def allergy(resource: Resource, line: Line, words: Words) -> None:
    """Fill in an allergy."""
    status = str(line.get("status", "active confirmed"))
    resource["code"] = words.concept(line["AllergyIntolerance"])
    for word in status.split():
        member, system = (
            ("verificationStatus", "allergyintolerance-verification")
            if word in _VERIFICATIONS
            else ("clinicalStatus", "allergyintolerance-clinical")
        )
        resource[member] = coded(HL7 + system, word)
    put(resource, recordedDate=plain(line.get("on")), onsetDateTime=plain(line.get("from")))


def questionnaire_response(resource: Resource, line: Line, words: Words) -> None:
    """Fill in a questionnaire response."""
    value = line.get("value")
    answer = {"valueInteger": value} if isinstance(value, int) else {"valueString": str(value)}
    link = "score" if isinstance(value, int) else "result"
    put(
        resource,
        status=line.get("status", "completed"),
        questionnaire=str(line["QuestionnaireResponse"]),
        authored=start(line),
        item=None if value is None else [{"linkId": link, "answer": [answer]}],
    )
