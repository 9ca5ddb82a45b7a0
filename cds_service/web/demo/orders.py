"""The order form: its fields become draft FHIR orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, TypeVar

from cds_service.web.demo.calls import CLINICIAN
from cds_service.web.demo.patients import Patient, Resource
from cds_service.web.demo.products import (
    INJECTIONS,
    MEDICATIONS,
    NUCC,
    REFERRALS,
    RHYTHMS,
    RXNORM,
    STUDIES,
    THERAPIES,
    Product,
    Rhythm,
    Service,
)

Draft = dict[str, Any]
T = TypeVar("T")
Form = Mapping[str, str]
_UCUM = "http://unitsofmeasure.org"
_MANY = {"patch": "patches", "mL": "mL"}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
_BACK = ("M54", "M51", "M48", "M96", "S39")
_LONGEST_TEXT = 500


class FormFault(ValueError):
    """A field that cannot be read; the message is shown beside the form, which marks it."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes drafts for one patient on one day; `numbers` gives each draft its id."""

    patient: Patient
    as_of: date
    numbers: Callable[[], int]
    clinician: str = CLINICIAN

    def drafts(self, form: Form) -> tuple[Draft, ...]:
        """The drafts of a filled form, one or two. Raises FormFault."""
        match form.get("kind"):
            case "medication":
                return (self._medication(form),)
            case "referral":
                return (self._request(form, _choice(REFERRALS, form, "to")),)
            case "imaging":
                return (self._request(form, _choice(STUDIES, form, "study")),)
            case "therapy":
                draft = self._request(form, _choice(THERAPIES, form, "procedure"))
                return (_with_quantity(draft, form, "visits", "visit"),)
            case "injection":
                return self._injections(form)
        raise FormFault("Choose what to order.")

    def _injections(self, form: Form) -> tuple[Draft, ...]:
        first = self._request(form, _choice(INJECTIONS, form, "procedure"))
        drafts = [_with_quantity(first, form, "units", "unit")]
        if form.get("second"):
            drafts.append(self._request(form, _choice(INJECTIONS, form, "second")))
        return tuple(drafts)

    def _request(self, form: Form, service: Service) -> Draft:
        draft = self._head("ServiceRequest", form)
        coding = {"system": service.system, "code": service.code, "display": service.label}
        draft["code"] = {"coding": [coding], "text": service.label}
        draft["priority"] = "urgent" if form.get("priority") == "urgent" else "routine"
        if service.performer is not None:
            code, name = service.performer
            draft["performerType"] = {
                "coding": [{"system": NUCC, "code": code, "display": name}],
                "text": name,
            }
        return draft

    def _medication(self, form: Form) -> Draft:
        product = _choice(MEDICATIONS, form, "product")
        draft = self._head("MedicationRequest", form)
        coding = {"system": RXNORM, "code": product.code, "display": product.name}
        draft["category"] = [
            {"coding": [{"system": _CATEGORY, "code": "community", "display": "Community"}]}
        ]
        draft["medicationCodeableConcept"] = {"coding": [coding], "text": product.label}
        days = _whole(form, "days", "Days", 1, 365)
        supply: dict[str, Any] = {"expectedSupplyDuration": _amount(days, "days", "d")}
        refills = _whole(form, "refills", "Refills", 0, 12, "0")
        if refills:
            supply["numberOfRepeatsAllowed"] = int(refills)
        words = " ".join(form.get("sig", "").split())[:_LONGEST_TEXT]
        if words:
            draft["dosageInstruction"] = [{"text": words}]
        else:
            rhythm = _choice(RHYTHMS, form, "often")
            dose = _number(form, "dose", "Dose", Decimal("0.25"), 100)
            draft["dosageInstruction"] = [_dosage(product, dose, rhythm, bool(form.get("prn")))]
            total = (dose * rhythm.per_day * days).to_integral_value(ROUND_CEILING)
            supply["quantity"] = _amount(total, product.unit)
        draft["dispenseRequest"] = supply
        if form.get("replaces"):
            draft["priorPrescription"] = {
                "reference": self._known(form["replaces"], "MedicationRequest")
            }
        return draft

    def _head(self, kind: str, form: Form) -> Draft:
        head: Draft = {
            "resourceType": kind,
            "id": f"draft-{self.numbers()}",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": f"Patient/{self.patient.id}"},
            "authoredOn": self.as_of.isoformat(),
            "requester": {"reference": self.clinician, "display": "Demo Physician"},
        }
        if form.get("reason"):
            reference = self._known(form["reason"], "Condition")
            head["reasonReference"] = [{"reference": reference}]
            head["reasonCode"] = [self._at(reference)["code"]]
        return head

    def _known(self, reference: str, kind: str) -> str:
        if not reference.startswith(f"{kind}/") or not any(
            reference == f"{kind}/{resource['id']}" for resource in self.patient.of(kind)
        ):
            raise FormFault("That entry is not in this chart.")
        return reference

    def _at(self, reference: str) -> Resource:
        kind, _, number = reference.partition("/")
        return next(resource for resource in self.patient.of(kind) if resource["id"] == number)


def preset(patient: Patient) -> dict[str, str]:
    """How the order form of a story is filled in; `reason` and `replaces` as references of
    the chart.
    """
    fields = dict(patient.story.order)
    fields.setdefault("kind", "medication")
    fields["reason"] = _reason(patient, fields.get("reason", ""))
    if "replaces" in fields:
        orders = active_orders(patient)
        fields["replaces"] = next(
            ref for ref, label in orders if fields["replaces"] in label.lower()
        )
    return fields


def reasons(patient: Patient) -> tuple[tuple[str, str], ...]:
    """The active conditions as reference and words."""
    return tuple(
        (f"Condition/{each['id']}", str(each["code"]["text"]))
        for each in patient.of("Condition")
        if _status(each) == "active"
    )


def active_orders(patient: Patient) -> tuple[tuple[str, str], ...]:
    """The active medication orders as reference and words, the newest first."""
    found = [each for each in patient.of("MedicationRequest") if each["status"] == "active"]
    found.sort(key=lambda each: str(each["authoredOn"]), reverse=True)
    return tuple(
        (f"MedicationRequest/{each['id']}", str(each["medicationCodeableConcept"]["text"]))
        for each in found
    )


def _reason(patient: Patient, code: str) -> str:
    """The active condition with this code, else one of the back, else the first."""
    wanted = (code,) if code else _BACK
    active = [each for each in patient.of("Condition") if _status(each) == "active"]
    for each in active:
        if each["code"]["coding"][0]["code"].startswith(wanted):
            return f"Condition/{each['id']}"
    return f"Condition/{active[0]['id']}" if active else ""


def _status(condition: Resource) -> str:
    return str(condition["clinicalStatus"]["coding"][0]["code"])


def _dosage(product: Product, dose: Decimal, rhythm: Rhythm, as_needed: bool) -> Draft:
    dosage: Draft = {
        "text": f"{_counted(dose, product.unit)} {rhythm.label}{' as needed' if as_needed else ''}",
        "timing": {
            "repeat": {
                "frequency": rhythm.times,
                "period": rhythm.period,
                "periodUnit": rhythm.unit,
            }
        },
        "doseAndRate": [
            {"doseQuantity": _amount(dose, product.unit, "mL" if product.unit == "mL" else None)}
        ],
    }
    if as_needed:
        dosage["asNeededBoolean"] = True
    return dosage


def _counted(dose: Decimal, unit: str) -> str:
    """A dose in words.

    >>> _counted(Decimal("0.5"), "tablet"), _counted(Decimal(2), "patch"), _counted(Decimal(5), "mL")
    ('0.5 tablet', '2 patches', '5 mL')
    """
    return f"{dose.normalize():f} {_MANY.get(unit, f'{unit}s') if dose > 1 else unit}"


def _amount(value: Decimal, unit: str, ucum: str | None = None) -> Draft:
    number = int(value) if value == value.to_integral_value() else float(value)
    amount: Draft = {"value": number, "unit": unit}
    return {**amount, "system": _UCUM, "code": ucum} if ucum else amount


def _with_quantity(draft: Draft, form: Form, field: str, unit: str) -> Draft:
    if form.get(field):
        value = _whole(form, field, field.capitalize(), 1, 99)
        draft["quantityQuantity"] = _amount(value, unit if value == 1 else f"{unit}s")
    return draft


def _choice(options: Mapping[str, T], form: Form, field: str) -> T:
    try:
        return options[form.get(field, "")]
    except KeyError:
        raise FormFault("Choose what to order.", field) from None


def _whole(
    form: Form, field: str, label: str, least: Decimal | int, most: int, default: str = ""
) -> Decimal:
    value = _number(form, field, label, least, most, default)
    if value != value.to_integral_value():
        raise FormFault(f"{label}: a whole number is needed.", field)
    return value


def _number(
    form: Form, field: str, label: str, least: Decimal | int, most: int, default: str = ""
) -> Decimal:
    try:
        value = Decimal(form.get(field, default).strip() or default)
    except InvalidOperation:
        raise FormFault(f"{label}: a number is needed.", field) from None
    if not value.is_finite() or not least <= value <= most:
        raise FormFault(f"{label}: between {least} and {most}.", field)
    return value
