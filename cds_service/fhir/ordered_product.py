"""Which product an order, a dispense or a statement is about: by a concept, a reference or both."""

from __future__ import annotations

import msgspec

from cds_service.clinical.facts import OVER
from cds_service.fhir import r4_orders as r4
from cds_service.fhir.chart import Chart
from cds_service.fhir.concepts import label, merged
from cds_service.fhir.r4_dosage import CodeableConcept, Ratio, as_list
from cds_service.fhir.r4_parts import CONCEPT
from cds_service.fhir.r4_resource import Reference
from cds_service.fhir.terms import Product
from cds_service.fhir.units import first_unit, unit_of
from cds_service.knowledge.drugs.agreement import has_strengths

_ENCODE = msgspec.json.Encoder().encode

Ordered = r4.MedicationRequest | r4.MedicationDispense | r4.MedicationStatement


def ordered_product(chart: Chart, resource: Ordered, ref: str) -> Product:
    """What is ordered, by its own codes and names and by those of the product it refers to."""
    reference, concept = resource.medication_reference, b"" + resource.medication_codeable_concept
    if resource.medication is not None:
        reference, concept = _as_r4(resource.medication)
    if reference is None:
        found = chart.glossary.products[concept]
    else:
        found = _referred(chart, resource, concept, reference)
    if not found.codes and not found.names:
        chart.lose(ref, "the medication could not be read")
        chart.nameless += resource.status not in OVER
    return found


def _as_r4(named: r4.CodeableReference) -> tuple[Reference | None, bytes]:
    """The two members in which R4 would name a product."""
    return named.named, b"" if named.concept is None else _ENCODE(named.concept)


def _referred(chart: Chart, resource: Ordered, concept: bytes, reference: Reference) -> Product:
    """The product that a concept and a reference name together; a contained one is the
    order's own.
    """
    known = None if resource.contained else chart.products.get((concept, reference))
    if known is not None:
        return known
    own, display = CONCEPT.read(concept), CodeableConcept(text=reference.display)
    concepts = [] if own is None else [own]
    parts: tuple[r4.Ingredient, ...] = ()
    product = chart.target(resource, reference)
    if isinstance(product, r4.Medication):
        concepts.extend([] if product.code is None else [product.code])
        parts = as_list(product.ingredient)
    found = chart.vocabulary.product(merged((*concepts, display)))
    if parts and not _identifies(found):
        found = chart.vocabulary.product(merged((_composed(parts), *concepts, display)))
    if not resource.contained:
        chart.products[concept, reference] = found
    return found


def _identifies(found: Product) -> bool:
    """Whether codes and names tell the product with its strengths, or disagree, without its parts.

    A name in which no opioid was found may still be that of a product with one.
    """
    drug = found.identified.drug
    if drug is None or found.identified.conflict is not None:
        return drug is not None
    return has_strengths(drug) and (bool(drug.opioids) or found.identified.basis != "name")


def _composed(parts: tuple[r4.Ingredient, ...]) -> CodeableConcept:
    """A product by what it contains: all codes, and one name such as `oxycodone 5 mg / aspirin 325 mg`."""
    concepts = [part.item_codeable_concept for part in parts]
    codings = tuple(coding for each in concepts if each is not None for coding in each.codings)
    return CodeableConcept(coding=codings, text=" / ".join(filter(None, map(_ingredient, parts))))


def _ingredient(part: r4.Ingredient) -> str:
    """An ingredient with its strength in words, as the name of a product would have it."""
    concept, strength = part.item_codeable_concept, part.strength or Ratio()
    amount, below = strength.numerator, strength.denominator
    name = label(concept)
    if amount is None or amount.number is None:
        return name
    volume = below is not None and first_unit(below.units) == unit_of("mL")
    if below is not None and not volume and below.number not in (None, 1):
        return name  # so much in several tablets
    each = f"{amount.number:f} {next(iter(amount.units), '')}"
    size = f"/{below.number or 1:f} mL" if volume and below is not None else ""
    return f"{name} {each}{size}"
