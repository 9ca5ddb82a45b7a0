"""Check our own answers against what CDS Hooks asks of a service: for tests and cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cds_service.protocol.schema import faults_of

ANSWER_LISTS = frozenset({"cards", "services"})  # the only members that may be empty
HOOKS = frozenset({"patient-view", "order-select", "order-sign"})
# What 2.0 clients resolve: root-level primitive context members and the user tokens.
TOKENS = frozenset(
    {
        "context.patientId",
        "context.userId",
        "context.encounterId",
        "userPractitionerId",
        "userPractitionerRoleId",
        "userPatientId",
        "userRelatedPersonId",
    }
)
_OUTSIDE_SUBSET = (
    "_include",
    "_revinclude",
    "_has",
    ":not",
    ":text",
    ":missing",
    "$",
    "_maxresults",
    "sort:",
)


def lint(response: dict[str, Any], hook: str, drafts: dict[str, Any] | None = None) -> list[str]:
    """Every fault of an answer to `hook`; `drafts` is the Bundle of draft orders it was given."""
    faults = faults_of("response", response)
    if faults:
        return faults
    faults += _strict_json(response)
    faults += _empties(response, "")
    ids = {f"{r['resourceType']}/{r['id']}": r for r in _resources(drafts) if r.get("id")}
    nameless = [r for r in _resources(drafts) if not r.get("id")]
    if len(nameless) == 1:  # it alone can be meant by a resource without an id
        ids[f"{nameless[0]['resourceType']}/None"] = nameless[0]
    seen: list[str] = []
    for index, card in enumerate(response["cards"]):
        where = f"cards.{index}"
        seen.append(card["uuid"])
        seen.extend(suggestion["uuid"] for suggestion in card.get("suggestions", ()))
        faults += [f"{where}: {fault}" for fault in _card(card, ids)]
    if len(seen) != len(set(seen)):
        faults.append("cards and suggestions: two share a uuid")
    if hook not in HOOKS:
        faults.append("hook: not one that a service answers")
    return faults


def lint_discovery(document: dict[str, Any]) -> list[str]:
    """Every fault of a discovery document."""
    faults = faults_of("discovery", document)
    if faults:
        return faults
    faults += _empties(document, "")
    pairs = [(entry["id"], entry["hook"]) for entry in document["services"]]
    if len(pairs) != len(set(pairs)):
        faults.append("services: an id stands twice with the same hook")
    for index, entry in enumerate(document["services"]):
        if entry["hook"] not in HOOKS:
            faults.append(f"services.{index}.hook: unknown")
        for key, template in entry.get("prefetch", {}).items():
            faults += [f"services.{index}.prefetch.{key}: {fault}" for fault in _template(template)]
    return faults


def _strict_json(response: dict[str, Any]) -> list[str]:
    try:
        json.dumps(response, allow_nan=False)
    except (TypeError, ValueError):
        return ["the message: holds a value that JSON does not know"]
    return []


def _empties(value: Any, where: str) -> list[str]:
    """No member is null, "", [] or {} but the lists that may be empty."""
    if isinstance(value, dict):
        faults: list[str] = []
        for name, member in value.items():
            path = f"{where}.{name}".lstrip(".")
            if member in (None, "", [], {}) and not (where == "" and name in ANSWER_LISTS):
                faults.append(f"{path}: is empty and should be left out")
            faults += _empties(member, path)
        return faults
    if isinstance(value, list):
        return [
            fault
            for index, item in enumerate(value)
            for fault in _empties(item, f"{where}.{index}")
        ]
    return []


def _card(card: dict[str, Any], drafts: dict[str, dict[str, Any]]) -> Iterator[str]:
    if "<" in card["summary"] or "\n" in card["summary"]:
        yield "summary: must be one line of plain text"
    if "<" in card.get("detail", "").replace("\\<", ""):
        yield "detail: holds raw HTML"
    suggestions = card.get("suggestions", [])
    if bool(suggestions) != ("selectionBehavior" in card):
        yield "selectionBehavior: stands exactly when there are suggestions"
    recommended = [s for s in suggestions if s.get("isRecommended")]
    if card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
        yield "suggestions: more than one is recommended where at most one can be chosen"
    for suggestion in suggestions:
        for action in suggestion.get("actions", ()):
            yield from (f"{suggestion['label']}: {fault}" for fault in _action(action, drafts))
    for link in card.get("links", ()):
        if "appContext" in link and link["type"] != "smart":
            yield "links: appContext goes with smart links only"
    if "icon" in card["source"] and not card["source"]["icon"].startswith("https://"):
        yield "source.icon: must be https"


def _action(action: dict[str, Any], drafts: dict[str, dict[str, Any]]) -> Iterator[str]:
    resource = action.get("resource")
    if action["type"] == "delete":
        if resource is not None or "resourceId" not in action:
            yield "a delete has a resourceId and no resource"
        elif action["resourceId"] not in drafts:
            yield "a delete must name a draft order"
        return
    if resource is None or "resourceId" in action:
        yield f"a {action['type']} has a resource and no resourceId"
    elif action["type"] == "create":
        if resource.get("status") not in ("draft", "proposed", "completed", "in-progress"):
            yield "a created resource must be a draft"
    else:
        draft = drafts.get(f"{resource['resourceType']}/{resource.get('id')}")
        if draft is None:
            yield "an update must be of a draft order"
        elif not draft.keys() <= resource.keys():
            yield "an update must keep every member it was given"


def _resources(bundle: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    for entry in (bundle or {}).get("entry") or ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            yield resource


def _template(template: str) -> Iterator[str]:
    if template.startswith("/") or "://" in template:
        yield "must be relative"
    if len(template) > 2000:
        yield "is longer than 2000 characters"
    rest = template
    while "{{" in rest:
        token, closed, rest = rest.partition("{{")[2].partition("}}")
        if not closed or token not in TOKENS:
            yield f"the token {token} is not known to 2.0 clients"
    if any(part in template for part in _OUTSIDE_SUBSET):
        yield "leaves the query subset that clients must support"
    if "{{context.encounterId}}" in template:
        yield "the encounter is optional and cannot be relied on"
