"""Which product an order, a dispense or a statement is about: by a concept, a reference or both."""

from __future__ import annotations

import msgspec

from cds_service.fhir import r4_orders as r4
from cds_service.fhir.chart import Chart
from cds_service.fhir.concepts import label, merged
from cds_service.fhir.r4_dosage import CodeableConcept, Ratio, as_list
from cds_service.fhir.r4_parts import CONCEPT
from cds_service.fhir.r4_resource import Reference
from cds_service.fhir.units import first_unit, unit_of
from cds_service.fhir.vocabulary import Product

_ENCODE = msgspec.json.Encoder().encode

Ordered = r4.MedicationRequest | r4.MedicationDispense | r4.MedicationStatement


def ordered_product(chart: Chart, resource: Ordered, ref: str) -> Product:
    """What is ordered, by its own codes and names and by those of the product it refers to."""
    reference, concept = resource.medication_reference, bytes(resource.medication_codeable_concept)
    if resource.medication is not None:
        reference, concept = _as_r4(resource.medication)
    if reference is None:
        found = chart.glossary.products[concept]
    else:
        found = _referred(chart, resource, concept, reference)
    if not found.codes and not found.names:
        chart.lose(ref, "the medication could not be read")
    return found


def _as_r4(named: r4.CodeableReference) -> tuple[Reference | None, bytes]:
    """The two members in which R4 would name a product."""
    reference = named.reference
    if isinstance(reference, str):
        reference = Reference(reference=reference)
    return reference, b"" if named.concept is None else _ENCODE(named.concept)


def _referred(chart: Chart, resource: Ordered, concept: bytes, reference: Reference) -> Product:
    """The product that a concept and a reference name together; a contained one is the
    order's own.
    """
    known = None if resource.contained else chart.products.get((concept, reference))
    if known is not None:
        return known
    own = CONCEPT.read(concept)
    concepts = [] if own is None else [own]
    product = chart.target(resource, reference)
    if isinstance(product, r4.Medication):
        parts = [_ingredient(each) for each in as_list(product.ingredient)]
        concepts.extend(filter(None, [product.code] if product.code is not None else parts))
    concepts.append(CodeableConcept(text=reference.display))
    found = chart.vocabulary.product(merged(concepts))
    if not resource.contained:
        chart.products[concept, reference] = found
    return found


def _ingredient(part: r4.Ingredient) -> CodeableConcept | None:
    """An ingredient with its strength in words, as the name of a product would have it."""
    concept, strength = part.item_codeable_concept, part.strength or Ratio()
    amount, below = strength.numerator, strength.denominator
    if concept is None or amount is None or amount.number is None:
        return concept
    volume = below is not None and first_unit(below.units) == unit_of("mL")
    each = f"{amount.number:f} {next(iter(amount.units), '')}"
    size = f"/{below.number or 1:f} mL" if volume and below is not None else ""
    return CodeableConcept(coding=concept.coding, text=f"{label(concept)} {each}{size}")
