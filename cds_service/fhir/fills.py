"""What an instruction and what the pharmacy may hand out say together, each pair of one
product read once.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import ceil

from cds_service.clinical.facts import Sig
from cds_service.fhir.amounts import quantity, whole
from cds_service.fhir.dosage import read_sig
from cds_service.fhir.r4_dosage import as_list
from cds_service.fhir.r4_orders import DISPENSE_REQUEST, DispenseRequest
from cds_service.fhir.r4_parts import DOSAGES
from cds_service.fhir.resources import Lost
from cds_service.fhir.supply import supply_days
from cds_service.fhir.terms import Fill, Product, ProductKey
from cds_service.fhir.timing import days_of_bounds, duration_days, first_day
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.frozen import replace
from cds_service.knowledge.drugs.model import Drug

_UNREADABLE = "the dosage instruction could not be read"
_MOST_REFILLS = 99
_NOTHING = DispenseRequest()


class Fills:
    """The fills of one call, by product, instructions and dispense request as they were sent."""

    __slots__ = ("_found", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._found: dict[tuple[ProductKey, bytes, bytes], Fill] = {}

    def of(self, product: Product, dosages: bytes, request: bytes, lost: Lost = ()) -> Fill:
        """The fill of a prescription of which the parts `lost` could not be read; empty bytes were
        not sent.

        Raises msgspec.ValidationError for bytes that hold something else.
        """
        if lost:
            return self._salvaged(product, dosages, request, lost)
        key = (product.key, dosages, request)
        found = self._found.get(key)
        if found is None:
            read = partial(_read, product.identified.drug, dosages, request)
            found = self._vocabulary.fill(product.key, b"%b %b" % (dosages, request), read)
            self._found[key] = found
        return found

    def _salvaged(self, product: Product, dosages: bytes, request: bytes, lost: Lost) -> Fill:
        """No dose is guessed from what is left of the instructions; a supply or refills that were
        lost may be longer than what is left of them.
        """
        if any(path.startswith("dosage") for path in lost):
            found = _unreadable(product.identified.drug, dosages, request)
        else:
            found = self.of(product, dosages, request)
        partly = any(path.startswith("dispenseRequest") for path in lost)
        return replace(found, all_days=None) if partly else found


def _read(drug: Drug | None, dosages: bytes, request: bytes) -> Fill:
    told, asked = as_list(DOSAGES.read(dosages)), DISPENSE_REQUEST.read(request) or _NOTHING
    amount, expected = asked.quantity, asked.expected_supply_duration
    sig = read_sig(told, drug, amount, duration_days(expected))
    found = _fill(sig, supply_days(expected, amount, sig, drug), asked)
    # Bounds say on which days, which may be long after the order was written.
    bounded = expected is None and amount is None and sig.bounds_days is not None
    bounds = days_of_bounds(told) if bounded else None
    begins = first_day(told)
    put_off = begins if all(first_day((dosage,)) for dosage in told) else None
    return replace(found, bounds=bounds, begins=begins, put_off=put_off)


def _unreadable(drug: Drug | None, dosages: bytes, request: bytes) -> Fill:
    told, asked = as_list(DOSAGES.read(dosages)), DISPENSE_REQUEST.read(request) or _NOTHING
    sig = Sig(unread=_UNREADABLE, text=" | ".join(each.text for each in told if each.text))
    return _fill(sig, supply_days(asked.expected_supply_duration, asked.quantity, sig, drug), asked)


def _fill(sig: Sig, days: Fraction | None, asked: DispenseRequest) -> Fill:
    refills = min(max(whole(asked.number_of_repeats_allowed) or 0, 0), _MOST_REFILLS)
    once, in_all = (None, None) if days is None else (ceil(days), ceil(days * (1 + refills)))
    return Fill(sig, days, once, in_all, refills, quantity(asked.quantity))
