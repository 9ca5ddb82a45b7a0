"""What is prescribed, dispensed and taken, and how much a day. Pure."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from cds_service.clinical.dates import FAR_PAST, Span
from cds_service.clinical.records import MERE_INTENT, NO_CODES, Fact, Quantity
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import Drug, DrugClass, Route


class Dose(Frozen):
    """What one instruction says at its most aggressive reading.

    `amount` a single dose in `unit` (`mg`, `mcg`, `mL`, `unit` = tablet, capsule, patch, spray,
    film, drop ...; `mcg/h` = a delivery rate); `per_day` doses a day. `cap` is the most a day in
    `cap_unit`.
    """

    amount: Fraction
    unit: str
    per_day: Fraction
    cap: Fraction | None = None
    cap_unit: str = ""
    unit_text: str = ""  # the count unit as written: tablet, patch, spray, ...
    as_needed: bool = False

    @property
    def daily(self) -> Fraction:
        """Amount a day in `unit`, capped where the cap is in the same unit."""
        daily = self.amount if self.unit == "mcg/h" else self.amount * self.per_day
        return (
            min(daily, self.cap) if self.cap is not None and self.cap_unit == self.unit else daily
        )


class Sig(Frozen, dict=True):
    """How much a day. `steps` follow one another and the greatest counts; doses of one step are
    taken together.

    Exactly one of `steps` and `unread` says something; `basis`: structured | text | supply. With
    `partly`, some of several instructions could not be read, and the steps are the least there is.
    """

    steps: tuple[tuple[Dose, ...], ...] = ()
    unread: str | None = None  # why the dose could not be read, for the card
    basis: str = "structured"
    text: str = ""  # what the prescriber wrote, unescaped
    notes: tuple[str, ...] = ()  # assumptions made, for the card
    bounds_days: int | None = None  # length of the instruction's own bounds
    route: Route = Route.UNKNOWN  # how it is to be given, where the instruction says so
    partly: str | None = None

    @cached_property
    def amounted(self) -> list[Any]:
        """The last amount it was turned into, and of what: an instruction is kept from call to
        call.
        """
        return []


class Order(Fact):
    """A MedicationRequest. `when` is authoredOn, else the first day that its instructions name; a draft
    starts on as_of whatever it says.

    `supply` is one fill in days: expectedSupplyDuration, else quantity / daily dose, else the bounds
    of the instruction; `supply_days` the days on which it is taken, the last one counted however
    little is left for it. `span` is how long the order is current: refills counted, None end without a
    supply length.
    """

    drug: Drug | None = None
    drug_conflict: str | None = None
    opioid: bool = False  # by code or by name
    sig: Sig = Sig(unread="no dosage instruction")
    span: Span | None = None
    supply: Fraction | None = None
    supply_days: int | None = None
    refills: int = 0
    draft: bool = False
    intent: str = ""
    categories: frozenset[str] = frozenset()  # inpatient, outpatient, community, discharge
    reasons: frozenset[Code] = NO_CODES
    reason_refs: tuple[str, ...] = ()
    prior: str = ""  # reference of the order this one replaces
    prescribers: frozenset[str] = frozenset()  # of a draft: who asks for and enters it
    do_not_perform: bool = False
    quantity: Quantity | None = None
    strengths_differ: bool = False  # what `drug_conflict` says: a dose in mg is certain
    based_on: tuple[str, ...] = ()  # references of what it carries out

    @property
    def inpatient(self) -> bool:
        """Marked inpatient; without a category, or with an unknown one, it is not."""
        return "inpatient" in self.categories

    @property
    def meant(self) -> bool:
        """To be carried out: not forbidden, and neither a mere proposal nor a plan, which a draft no
        longer is.
        """
        return not self.do_not_perform and (self.draft or self.intent not in MERE_INTENT)

    def is_a(self, *classes: DrugClass) -> bool:
        """Whether the ordered drug belongs to any of `classes`."""
        return self.drug is not None and self.drug.is_a(*classes)


class Dispense(Fact):
    """A MedicationDispense; `when` is whenHandedOver, else whenPrepared; `sig` how it is taken, else
    quantity / days' supply.
    """

    drug: Drug | None = None
    opioid: bool = False  # by code or by name
    supply_days: int | None = None
    orders: tuple[str, ...] = ()  # references of the authorizing prescriptions
    sig: Sig = Sig(unread="no dosage instruction")
    drug_conflict: str | None = None
    strengths_differ: bool = False


class Statement(Fact):
    """A MedicationStatement; `when` is the start of the effective period, `span` the period
    itself.
    """

    drug: Drug | None = None
    opioid: bool = False  # by code or by name
    sig: Sig = Sig(unread="no dosage")
    span: Span | None = None
    based_on: tuple[str, ...] = ()
    reasons: frozenset[Code] = NO_CODES
    reason_refs: tuple[str, ...] = ()
    drug_conflict: str | None = None
    strengths_differ: bool = False


def begun(taken: Order | Statement, as_of: date) -> date:
    """The day by which it had surely begun: a partial date counts as its last day, a beginning that is
    not told as the day of the report, so that no course is overstated.
    """
    when, span = taken.when, taken.span
    if span is not None and span.start > FAR_PAST and (when is None or when.first != span.start):
        return span.start
    return as_of if when is None else min(when.last, as_of)
