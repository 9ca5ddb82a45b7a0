"""The parts of a story: who asked, what was known, what each rule said, what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.answer import Answer
from cds_service.clinical.mme import DailyMme
from cds_service.clinical.opioid_course import Course


@dataclass(frozen=True, slots=True)
class Who:
    """Who asked about whom."""

    patient: str
    age: int | None
    sex: str
    user: str
    encounter: str
    fhir_server: str
    token: bool


@dataclass(frozen=True, slots=True)
class Data:
    """A kind of data: in words, how it came, what was wrong with it, and how many facts it gave."""

    key: str
    words: str
    how: str
    why: str
    facts: int


@dataclass(frozen=True, slots=True)
class Read:
    """A number a rule reads as it was in force, and the payer it comes from if one overrides it."""

    name: str
    value: str
    unit: str
    boundary: str
    source: str
    since: date
    payer: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Said:
    """One criterion a rule yielded; `kept_back` says why it is not shown."""

    name: str
    status: str
    indicator: str
    values: Mapping[str, str]
    because: tuple[str, ...]
    missing: tuple[str, ...]
    kept_back: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """How one rule went and where its finding stands; `failed` is why it could not be evaluated."""

    card: str
    title: str
    applies: bool | None
    failed: str
    said: tuple[Said, ...]
    read: tuple[Read, ...]
    stands: str
    microseconds: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A card of the answer: where it came from, its words and its buttons."""

    card: str
    indicator: str
    summary: str
    from_cards: tuple[str, ...]
    buttons: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one answer of one service."""

    service: str
    title: str
    answer: Answer
    who: Who | None = None
    payers: tuple[str, ...] = ()
    data: tuple[Data, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    dropped: int = 0
    emergency: bool = False
    rules: tuple[Ruling, ...] = ()
    mme: DailyMme | None = None
    course: Course | None = None
    shown: tuple[Shown, ...] = ()
    not_evaluated: tuple[tuple[str, str, bool], ...] = ()

    @property
    def sound(self) -> bool:
        """Whether everything that could have warned was checked and no rule failed."""
        return (
            self.answer.status == 200
            and not any(rule.failed for rule in self.rules)
            and not any(serious for _, _, serious in self.not_evaluated)
        )
