"""The addresses of the demo EHR. The page holds its own state: two workers share no memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count, groupby
from typing import Any, cast

from flask import Blueprint, current_app, render_template, request
from werkzeug.exceptions import NotFound

from cds_service.protocol.services import ORDER_SELECT, ORDER_SIGN
from cds_service.service import Service
from cds_service.web.demo import products
from cds_service.web.demo.advice import cards_of, spoken
from cds_service.web.demo.calls import Exchange, ask_about, open_chart, pretty, send_feedback
from cds_service.web.demo.desk import BadState, Desk, reference
from cds_service.web.demo.opioids import opioid_panel, opioids_of
from cds_service.web.demo.orders import FormFault, Maker, active_orders, preset, reasons
from cds_service.web.demo.patients import Patient, patients
from cds_service.web.demo.summary import counted, day, summary_of

blueprint = Blueprint(
    "demo",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/demo/static",
)
blueprint.add_app_template_filter(day, "day")
blueprint.add_app_template_filter(counted, "counted")
blueprint.add_app_template_global(spoken)


@blueprint.get("/")
def index() -> str:
    """The patients and their stories."""
    groups = groupby(patients().values(), key=lambda patient: patient.story.group)
    listed = [(group, list(members)) for group, members in groups]
    return render_template("demo/index.html", groups=listed, as_of=_service().settings.clock())


@blueprint.get("/patients/<patient_id>")
def chart(patient_id: str) -> str:
    """A chart, with what the services say when it is opened."""
    return chart_page(_patient(patient_id))


def chart_page(patient: Patient) -> str:
    """The page of one patient."""
    as_of, desk = _service().settings.clock(), Desk.fresh()
    exchanges = open_chart(patient, desk.clinician)
    opioids = opioid_panel(exchanges, _service(), as_of)
    return render_template(
        "demo/patient.html",
        patient=patient,
        as_of=as_of,
        summary=summary_of(patient, opioids),
        opioids=opioids,
        cards=cards_of(exchanges),
        exchanges=exchanges,
        desk=desk,
        **_composer(patient, preset(patient)),
    )


@blueprint.get("/patients/<patient_id>/form/<kind>")
def form(patient_id: str, kind: str) -> str:
    """The order form of one kind, filled in if the story is of that kind."""
    patient = _patient(patient_id)
    if kind not in products.KINDS:
        raise NotFound
    fields = preset(patient)
    if fields["kind"] != kind:
        fields = {"kind": kind, "reason": fields["reason"]}
    return render_template("demo/_composer.html", patient=patient, **_composer(patient, fields))


@blueprint.post("/patients/<patient_id>/select")
def select(patient_id: str) -> str:
    """The form changed: ask about the order as it stands, selected among the unsigned ones."""
    patient, desk = _patient(patient_id), _desk()
    try:
        chosen = _maker(patient, desk).drafts(request.form)
    except FormFault as fault:
        return _faulty(patient, fault, ORDER_SELECT)
    drafts = [*desk.drafts, *chosen]
    exchanges = ask_about(
        desk.chart(patient),
        ORDER_SELECT,
        drafts,
        [reference(draft) for draft in chosen],
        desk.clinician,
    )
    return _advice(patient, desk, ORDER_SELECT, exchanges)


@blueprint.post("/patients/<patient_id>/orders")
def orders(patient_id: str) -> str:
    """Put the order of the form on the desk, and ask about the whole desk as it is about to
    be signed.
    """
    patient, desk = _patient(patient_id), _desk()
    try:
        desk.add(_maker(patient, desk).drafts(request.form))
    except FormFault as fault:
        return _faulty(patient, fault, ORDER_SIGN)
    return _review(patient, desk)


@blueprint.post("/patients/<patient_id>/review")
def review(patient_id: str) -> str:
    """Ask about the desk once more."""
    return _review(_patient(patient_id), _desk())


@blueprint.post("/patients/<patient_id>/remove")
def remove(patient_id: str) -> str:
    """Take one order off the desk."""
    patient, desk = _patient(patient_id), _desk()
    desk.remove(request.form.get("reference", ""))
    return _review(patient, desk) if desk.drafts else _advice(patient, desk, "", ())


@blueprint.post("/patients/<patient_id>/sign")
def sign(patient_id: str) -> str:
    """Sign what is on the desk. Nothing is stored: only this page knows it."""
    patient, desk = _patient(patient_id), _desk()
    signed = desk.sign()
    return render_template("demo/_signed.html", patient=patient, signed=signed, desk=desk)


@blueprint.post("/patients/<patient_id>/accept")
def accept(patient_id: str) -> str:
    """Take a suggestion: its order goes on the desk, and the service hears of it."""
    patient, desk = _patient(patient_id), _desk()
    suggestion = _json("suggestion")
    made = desk.take(suggestion)
    exchange = _feedback(
        {"outcome": "accepted", "acceptedSuggestions": [{"id": suggestion.get("uuid", "")}]}
    )
    return render_template(
        "demo/_accepted.html",
        patient=patient,
        desk=desk,
        uuid=suggestion.get("uuid", ""),
        label=suggestion.get("label", ""),
        made=[(reference(draft), pretty(draft)) for draft in made],
        exchange=exchange,
    )


@blueprint.post("/patients/<patient_id>/dismiss")
def dismiss(patient_id: str) -> str:
    """Set a card aside with a reason, and tell the service."""
    patient = _patient(patient_id)
    reason = _json("reason") if request.form.get("reason") else {}
    override: dict[str, Any] = {"reason": reason} if reason else {}
    if request.form.get("comment"):
        override["userComment"] = request.form["comment"]
    item = {"outcome": "overridden", **({"overrideReason": override} if override else {})}
    exchange = _feedback(item)
    return render_template(
        "demo/_dismissed.html",
        patient=patient,
        uuid=request.form.get("card", ""),
        reason=reason.get("display", ""),
        exchange=exchange,
    )


@blueprint.errorhandler(NotFound)
def not_found(_error: NotFound) -> tuple[str, int]:
    """A page that says so."""
    return render_template("demo/not_found.html", as_of=_service().settings.clock()), 404


@blueprint.errorhandler(BadState)
def bad_state(error: BadState) -> tuple[str, int]:
    """A page whose hidden fields were changed."""
    return render_template("demo/_fault.html", text=str(error)), 400


def _review(patient: Patient, desk: Desk) -> str:
    exchanges = ask_about(desk.chart(patient), ORDER_SIGN, desk.drafts, clinician=desk.clinician)
    return _advice(patient, desk, ORDER_SIGN, exchanges)


def _advice(patient: Patient, desk: Desk, hook: str, exchanges: Sequence[Exchange]) -> str:
    return render_template(
        "demo/_advice.html",
        patient=patient,
        desk=desk,
        hook=hook,
        cards=cards_of(exchanges),
        opioids=opioids_of(exchanges),
        exchanges=exchanges,
    )


def _faulty(patient: Patient, fault: FormFault, hook: str) -> str:
    """What is wrong in the form; who pressed its button is taken to the field."""
    return render_template("demo/_advice.html", patient=patient, fault=fault, hook=hook)


def _composer(patient: Patient, fields: dict[str, str]) -> dict[str, Any]:
    return {
        "fields": fields,
        "products": products,
        "reasons": reasons(patient),
        "active_orders": active_orders(patient),
    }


def _feedback(item: dict[str, Any]) -> Exchange:
    """Send one item about the card that the form names."""
    card, service = request.form.get("card", ""), request.form.get("service", "")
    _service().known(service)
    at = _service().settings.now().isoformat(timespec="milliseconds")
    return send_feedback(service, {"card": card, **item, "outcomeTimestamp": at})


def _maker(patient: Patient, desk: Desk) -> Maker:
    numbers = count(desk.number())
    return Maker(patient, _service().settings.clock(), numbers.__next__, desk.clinician)


def _json(field: str) -> dict[str, Any]:
    try:
        found = json.loads(request.form.get(field, ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadState(f"the {field} of the page cannot be read")
    return found


def _patient(patient_id: str) -> Patient:
    found = patients().get(patient_id)
    if found is None:
        raise NotFound
    return found


def _desk() -> Desk:
    return Desk.of(request.form)


def _service() -> Service:
    return cast(Service, current_app.extensions["cds-service"])
