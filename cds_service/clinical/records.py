"""What a chart records, one frozen type a noun: findings, visits, requests and payer
business. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.clinical.dates import FuzzyDate, years_between
from cds_service.frozen import Frozen, field
from cds_service.knowledge.codes import Code, ValueSet
from cds_service.knowledge.drugs.model import Drug

NO_CODES: frozenset[Code] = frozenset()
# A draft order of any of these statuses is not read; of every other it is (orders are re-signed).
OVER = frozenset({"revoked", "cancelled", "stopped", "completed", "entered-in-error"})
MERE_INTENT = frozenset({"proposal", "plan"})
RULED_OUT = ("refuted", "entered-in-error")  # a verification status of what was never there


class Quantity(Frozen):
    """A measured amount; `unit` is the UCUM code, else the unit text, as sent.

    With a `comparator` (`<`, `>=`) the amount itself is not known, only on which side of `value` it
    lies.
    """

    value: Decimal
    unit: str = ""
    comparator: str = ""


class Patient(Frozen):
    """The patient of the context."""

    ref: str
    born: FuzzyDate | None = None
    sex: str | None = None  # male | female | other | unknown
    disability: bool = False  # a disability extension is present
    deceased: bool = False  # by the as-of date

    def age(self, as_of: date) -> int | None:
        """Completed years, counted from the latest possible birth date; None if unknown."""
        return None if self.born is None else years_between(self.born.last, as_of)


class Fact(Frozen):
    """What every fact has: a reference such as `Condition/1`, its codes, its text, its
    status and its date.
    """

    ref: str
    codes: frozenset[Code] = NO_CODES
    text: str = ""
    status: str = ""
    when: FuzzyDate | None = None


class Condition(Fact):
    """`status` is the clinical status; `when` is the onset, else the recorded date."""

    verification: str = ""
    onset: FuzzyDate | None = None
    recorded: FuzzyDate | None = None
    abated: FuzzyDate | None = None
    has_abatement: bool = False  # some abatement was recorded, dated or not
    categories: frozenset[str] = frozenset()  # codes: problem-list-item, encounter-diagnosis, ...
    encounter: str = ""

    def active(self, as_of: date) -> bool:
        """Active, recurrence or relapse, or no status and not abated on or before `as_of`;
        never refuted.
        """
        if self.verification in RULED_OUT:
            return False
        if self.when is not None and self.when.first > as_of:
            return False
        if self.status:
            return self.status in ("active", "recurrence", "relapse")
        if self.abated is not None:
            return self.abated.first > as_of
        return not self.has_abatement

    def ever(self, as_of: date) -> bool:
        """Recorded at any time (resolved, inactive and remission included), not refuted,
        not in the future.
        """
        if self.verification in RULED_OUT:
            return False
        return self.when is None or self.when.first <= as_of


class Observation(Fact):
    """A result, screening score or vital sign; `when` is the effective date, else issued."""

    value: Quantity | None = None
    value_codes: frozenset[Code] = NO_CODES
    value_text: str = ""
    value_flag: bool | None = None
    interpretation: frozenset[str] = frozenset()  # v3 codes POS, NEG, H, ...
    reference_high: Quantity | None = None
    components: tuple[Observation, ...] = ()
    says_more: bool = False  # by results of its own, or by a value that could not be read

    @property
    def answered(self) -> bool:
        """Whether it says anything: a value, answered parts, or more than was read."""
        plain = self.value or self.value_codes or self.value_text or self.value_flag is not None
        return bool(plain or self.says_more) or any(part.answered for part in self.components)

    @property
    def counts(self) -> bool:
        """Final, amended or corrected."""
        return self.status in ("final", "amended", "corrected")


class Procedure(Fact):
    """`when` is the performed date or the start of the period."""

    ended: FuzzyDate | None = None
    performers: frozenset[str] = frozenset()

    @property
    def done(self) -> bool:
        """Completed."""
        return self.status == "completed"


class Encounter(Fact):
    """`codes` are the type codes; `when` is the start of the period, else the end if it is over."""

    ended: FuzzyDate | None = None
    specialties: frozenset[Code] = NO_CODES  # serviceType and participants' specialties
    reasons: frozenset[Code] = NO_CODES
    disposition: frozenset[Code] = NO_CODES
    reason_refs: tuple[str, ...] = ()  # conditions: reasonReference and diagnosis

    @property
    def done(self) -> bool:
        """Finished."""
        return self.status == "finished"

    @property
    def held(self) -> bool:
        """Took place or takes place: neither planned, cancelled nor entered in error."""
        return self.status not in ("planned", "cancelled", "entered-in-error")


class Request(Fact):
    """A ServiceRequest or DeviceRequest; `when` is authoredOn. `draft`: stands in
    `context.draftOrders`.
    """

    draft: bool = False
    intent: str = ""
    reasons: frozenset[Code] = NO_CODES
    reason_refs: tuple[str, ...] = ()
    performer_types: frozenset[Code] = NO_CODES
    quantity: Quantity | None = None
    requester: str = ""
    priority: str = ""
    occurs: FuzzyDate | None = None
    reason_texts: tuple[str, ...] = ()  # what the reasons are called
    times: Decimal | None = None  # how often in all, where rhythm and length say so

    @property
    def open(self) -> bool:
        """Draft, active or on hold."""
        return self.status in ("draft", "active", "on-hold")


class CarePlan(Fact):
    """`codes` are its categories, `when` created, else the start of its period."""

    updated: FuzzyDate | None = None
    authors: frozenset[str] = frozenset()
    ended: FuzzyDate | None = None


class Coverage(Fact):
    """An insurance cover; `when` is the start of its period."""

    names: tuple[
        str, ...
    ] = ()  # display, contained or referenced organisation names, plan and group names
    identifiers: frozenset[str] = frozenset()  # SYSTEM#value of payor and organisation, its Type/id
    ends: FuzzyDate | None = None
    order: int | None = None  # 1 = primary
    payor_unread: bool = False  # it only refers to a payor, and that could not be read

    def active(self, as_of: date) -> bool:
        """Active, begun and not past the end of its period."""
        begun = self.when is None or self.when.first <= as_of
        return self.status == "active" and begun and (self.ends is None or self.ends.last >= as_of)


class ClaimLine(Frozen):
    """One line of a claim or of an explanation of benefit."""

    codes: frozenset[Code] = NO_CODES
    when: FuzzyDate | None = None
    quantity: Decimal | None = None


class Claim(Fact):
    """A Claim or ExplanationOfBenefit; `codes` are its type, `when` is created."""

    kind: str = "Claim"
    use: str = ""
    lines: tuple[ClaimLine, ...] = ()
    complete: bool | None = None  # supportingInfo submission-complete
    related: tuple[str, ...] = ()


class ClaimResponse(Fact):
    """A payer's answer; `when` is created, `decisions` the PAS review action codes (A1, A2,
    A3, ...).
    """

    request: str = ""
    use: str = ""
    outcome: str = ""
    decisions: frozenset[str] = frozenset()


class Document(Fact):
    """A DocumentReference; `codes` are its type."""


class Goal(Fact):
    """`status` is the lifecycle status, `achievement` the achievement code, `when` the
    status date, else start.
    """

    achievement: str = ""


class Allergy(Fact):
    """`status` is the clinical status; `codes` name the substance (code and reactions)."""

    verification: str = ""
    drug: Drug | None = None

    @property
    def active(self) -> bool:
        """Active (or no status) and neither refuted nor entered in error."""
        return self.status in ("", "active") and self.verification not in RULED_OUT


class QuestionnaireResponse(Fact):
    """`questionnaire`: the canonical without version; `answers`: the first answer by linkId."""

    questionnaire: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Completed or amended."""
        return self.status in ("completed", "amended")

    @property
    def form(self) -> Code:
        """Which questionnaire was filled in, as value sets name it."""
        return Code("QUESTIONNAIRE", self.questionnaire)

    def fills_in(self, codes: ValueSet) -> bool:
        """Whether the set names the questionnaire, or the LOINC code in which its canonical ends."""
        return self.form in codes or Code("LOINC", self.questionnaire.rsplit("/", 1)[-1]) in codes

    def total(self, codes: ValueSet) -> object:
        """The answer called `score`, else the one whose link id the set names as the total."""
        if "score" in self.answers:
            return self.answers["score"]
        return next(iter(self.answers_to(codes)), None)

    def answers_to(self, codes: ValueSet) -> tuple[Any, ...]:
        """The answers whose link ids are LOINC codes of the set, as on LOINC's own forms, or stand
        in it as a site writes them.
        """
        return tuple(
            answer
            for link, answer in self.answers.items()
            if Code("LOINC", link.lstrip("/")) in codes or Code("LINKID", link) in codes
        )


class Unread(Frozen):
    """Something that could not be read, and why; shown, never guessed."""

    ref: str
    why: str
