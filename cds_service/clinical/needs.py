"""The kinds of data that rules ask for. Pure."""

from __future__ import annotations

from enum import StrEnum


class Need(StrEnum):
    """A kind of data a rule needs or wants; the value is the prefetch key."""

    __hash__ = str.__hash__  # an Enum's own is slower, and every call looks up dozens of needs

    PATIENT = "patient"
    MEDICATIONS = "medicationRequests"
    DISPENSES = "medicationDispenses"
    STATEMENTS = "medicationStatements"
    CONDITIONS = "conditions"
    OBSERVATIONS = "observations"
    PROCEDURES = "procedures"
    ENCOUNTERS = "encounters"
    SERVICE_REQUESTS = "serviceRequests"
    CARE_PLANS = "carePlans"
    COVERAGES = "coverages"
    CLAIMS = "claims"
    CLAIM_RESPONSES = "claimResponses"
    BENEFITS = "explanationOfBenefits"
    DOCUMENTS = "documentReferences"
    GOALS = "goals"
    ALLERGIES = "allergyIntolerances"
    QUESTIONNAIRE_RESPONSES = "questionnaireResponses"
    DEVICES = "deviceRequests"
