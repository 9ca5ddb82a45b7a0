"""Read the site's directory: a FHIR R4 Bundle of Organization, HealthcareService and
PractitionerRole.

What a partner does stands in `type`, `specialty` or `code` of a role and its service; `program`
limits it to payers (`urn:cds-service:payer`) and sites (`urn:cds-service:site`); the extension
`urn:cds-service:handout` gives the address of a patient handout. A role takes over what it leaves
out from its service, and both from the organization, whose own type says nothing of what they do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.codes import Code
from cds_service.knowledge.directory import Directory, Partner
from cds_service.knowledge.model import Knowledge

KINDS = ("Organization", "HealthcareService", "PractitionerRole")
PAYER, SITE, HANDOUT = "urn:cds-service:payer", "urn:cds-service:site", "urn:cds-service:handout"
_SERVICES = ("category", "type", "specialty", "code")

Resource = Mapping[str, Any]


def read_directory(path: Path, knowledge: Knowledge) -> Directory:
    """The directory of a file. Raises KnowledgeError."""
    try:
        bundle = json.loads(path.read_bytes())
    except OSError as error:
        raise KnowledgeError(path.name, None, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise KnowledgeError(path.name, None, "not JSON") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise KnowledgeError(
            path.name, None, "not a FHIR Bundle", "a Bundle of " + ", ".join(KINDS)
        )
    try:
        return _Reader(path.name, tuple(_resources(path.name, bundle)), knowledge).directory()
    except (AttributeError, TypeError):
        raise KnowledgeError(path.name, None, "a member is not as FHIR R4 has it") from None


def _resources(file: str, bundle: Resource) -> Iterator[Resource]:
    for number, entry in enumerate(bundle.get("entry") or (), start=1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if kind not in KINDS or not isinstance(resource, dict) or not resource.get("id"):
            raise KnowledgeError(
                file, None, f"entry {number} is not one of the directory", ", ".join(KINDS)
            )
        yield resource


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str
    resources: tuple[Resource, ...]
    knowledge: Knowledge

    def directory(self) -> Directory:
        """Services and roles that are active; an organization alone is no partner, nor is a service
        that only lends a role its name or number.
        """
        known = {f"{r['resourceType']}/{r['id']}": r for r in self.resources}
        if len(known) != len(self.resources):
            raise KnowledgeError(self.file, None, "two resources of one type and id")
        lenders = {
            str(owner.get("reference", ""))
            for r in self.resources
            for owner in _first_service_of(r)
        }
        wanted = [
            r for r in self.resources if r["resourceType"] != KINDS[0] and r.get("active", True)
        ]
        made = (self._partner(resource, known, lenders) for resource in wanted)
        return Directory(tuple(partner for partner in made if partner is not None))

    def _partner(
        self, resource: Resource, known: Mapping[str, Resource], lenders: set[str]
    ) -> Partner | None:
        ref = f"{resource['resourceType']}/{resource['id']}"
        line = (resource, *self._above(resource, known, ref))
        does = [each for each in line if each["resourceType"] != KINDS[0]]
        codes = frozenset(code for each in does for code in codes_of(each, self.knowledge))
        names = [_name(each) for each in line]
        if not codes or not any(names):
            if ref in lenders:
                return None
            raise KnowledgeError(
                self.file,
                None,
                f"{ref} says no " + ("name" if codes else "type or specialty with a code"),
            )
        limits = [concept for each in line for concept in each.get("program") or ()]
        return Partner(
            ref,
            ", ".join(dict.fromkeys(name for name in names if name)),
            codes,
            self._payers(ref, limits),
            frozenset(codes_named(limits, SITE)),
            next((value for each in line for value in _telecom(each, "phone")), ""),
            tuple(dict.fromkeys(link for each in line for link in _links(each))),
        )

    def _above(self, resource: Resource, known: Mapping[str, Resource], ref: str) -> list[Resource]:
        """The service of a role and the organization of either."""
        found: list[Resource] = []
        owners = [*_first_service_of(resource)]
        owners += [resource[m] for m in ("providedBy", "organization") if m in resource]
        for owner in owners:
            name = owner.get("reference", "") if isinstance(owner, dict) else ""
            if name not in known:
                raise KnowledgeError(
                    self.file, None, f"{ref} refers to {name or 'nothing'}, which is not here"
                )
            found.append(known[name])
        if (
            found
            and found[0]["resourceType"] == "HealthcareService"
            and "organization" not in resource
        ):
            found += self._above(found[0], known, ref)
        return found

    def _payers(self, ref: str, limits: list[Resource]) -> frozenset[str]:
        named, known = (
            frozenset(codes_named(limits, PAYER)),
            {payer.id for payer in self.knowledge.payers},
        )
        for payer in sorted(named - known):
            raise KnowledgeError(
                self.file, None, f"{ref}: no payer {payer!r}", ", ".join(sorted(known))
            )
        return named


def codes_of(resource: Resource, knowledge: Knowledge) -> Iterator[Code]:
    """What a service or role does: its category, type, specialty and code."""
    for member in _SERVICES:
        concepts: Any = resource.get(member) or []
        for concept in concepts if isinstance(concepts, list) else [concepts]:
            for coding in concept.get("coding") or ():
                if coding.get("system") and coding.get("code"):
                    yield knowledge.code(coding["system"], coding["code"])


def codes_named(concepts: Iterable[Resource], system: str) -> Iterator[str]:
    """The codes of one system among concepts."""
    for concept in concepts:
        for coding in concept.get("coding") or ():
            if coding.get("system") == system and coding.get("code"):
                yield str(coding["code"])


def _first_service_of(resource: Resource) -> list[Resource]:
    """The service of a role, the first where it has several; none for others."""
    services: list[Resource] = [*(resource.get("healthcareService") or ())[:1]]
    return services


def _name(resource: Resource) -> str:
    named = resource.get("name") or (resource.get("practitioner") or {}).get("display")
    return str(named or "")


def _telecom(resource: Resource, system: str) -> Iterator[str]:
    for contact in resource.get("telecom") or ():
        if contact.get("system") == system and contact.get("value"):
            yield str(contact["value"])


def _links(resource: Resource) -> Iterator[tuple[str, str]]:
    """Handouts and web pages, by https only."""
    for extension in resource.get("extension") or ():
        if extension.get("url") == HANDOUT and str(extension.get("valueUrl", "")).startswith(
            "https://"
        ):
            yield "Patient handout", str(extension["valueUrl"])
    for address in _telecom(resource, "url"):
        if address.startswith("https://"):
            yield _name(resource) or "Website", address
