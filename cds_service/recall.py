"""What the service remembers of one call, and what it looks up for it.

Written down are cards without patient data and the audit trail; looked up is what the user has set
aside for the patient. Without a memory nothing is written and nothing stays quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from cds_service.card_suggestions import identity
from cds_service.clients import Client
from cds_service.clinical.criteria import CRITICAL, MET, Evaluation, Finding
from cds_service.clinical.rule import Call
from cds_service.frozen import replace
from cds_service.marks import marks_of
from cds_service.memory.snoozes import marks_text
from cds_service.memory.store import IssuedCard, Memory
from cds_service.protocol.messages import HookRequest
from cds_service.trace import CardTrace, Trace

Failed = Callable[[str, Exception], None]
SNOOZED = "cds-service.snoozed"


@dataclass(frozen=True, slots=True)
class Quiet:
    """A finding that stays quiet; `until` is the first day on which it may speak again."""

    finding: Finding
    until: date

    @property
    def met(self) -> tuple[str, ...]:
        """The criteria that would have spoken."""
        return tuple(c.name for c in self.finding.criteria if c.status is MET)

    @property
    def listed(self) -> dict[str, Any]:
        """As the root extension `cds-service.snoozed` lists it."""
        return {
            "card": self.finding.card,
            "criteria": list(self.met),
            "until": self.until.isoformat(),
        }

    def traced(self, instance: str, service: str) -> CardTrace:
        """As it is remembered: under an id of its own, because no card bears it."""
        assert self.finding.indicator is not None  # it spoke
        return CardTrace(
            self.finding.card,
            identity(instance, service, self.finding.card, "snoozed"),
            self.finding.indicator.value,
            self.met,
        )


def spoken(evaluation: Evaluation, quiet: Sequence[Quiet]) -> Evaluation:
    """What is left to say."""
    silenced = {each.finding.card for each in quiet}
    if not silenced:
        return evaluation
    return replace(
        evaluation, findings=tuple(f for f in evaluation.findings if f.card not in silenced)
    )


class Recall:
    """The memory for the time of one call."""

    __slots__ = ("_failed", "_memory", "_service", "client", "instance", "patient", "person")

    def __init__(
        self,
        memory: Memory | None,
        request: HookRequest,
        service: str,
        client: Client,
        failed: Failed,
    ) -> None:
        self._memory, self._service, self._failed = memory, service, failed
        self.client, self.instance = client, request.hook_instance  # and never the token
        self.patient = memory.pseudonyms.patient(client.id, request.patient_id) if memory else ""
        self.person = memory.pseudonyms.person(client.id, request.user_id) if memory else ""

    def quiet(self, evaluation: Evaluation, call: Call) -> tuple[Quiet, ...]:
        """The findings that this user has set aside for this patient and that rest on nothing new.

        A critical finding never stays quiet, nor one that cannot be compared.
        """
        findings = _comparable(evaluation)
        if self._memory is None or not findings:
            return ()
        held = {s.card: s for s in self._memory.snoozes(self.client.id, self.patient, self.person)}
        asked = [finding for finding in findings if finding.card in held]
        marks = self._marks(asked, call) if asked else {}
        as_of = call.facts.as_of
        return tuple(
            Quiet(finding, held[finding.card].until)
            for finding in asked
            if finding.card in marks and held[finding.card].covers(marks[finding.card], as_of)
        )

    def marks(
        self, cards: Iterable[CardTrace], evaluation: Evaluation, call: Call
    ) -> dict[str, str]:
        """What each card of an answer rests on, by its uuid; a folding card rests on
        several findings.
        """
        findings = _comparable(evaluation)
        if self._memory is None:
            return {}
        marks = self._marks(findings, call)
        card_of = {c.name: f.card for f in findings for c in f.criteria if c.status is MET}
        found: dict[str, str] = {}
        for card in cards:
            gathered = dict.fromkeys(card_of[name] for name in card.criteria if name in card_of)
            found[card.uuid] = marks_text({name: marks[name] for name in gathered if name in marks})
        return found

    def keep(self, trace: Trace, marks: Mapping[str, str], created: datetime) -> None:
        """Queue the cards of an answer with their marks, those that were not shown as well. What is
        queued holds nothing of the chart.
        """
        if self._memory is not None and (trace.cards or trace.snoozed):
            self._memory.issued(lambda: self._issued(trace, marks, created))

    def _issued(
        self, trace: Trace, marks: Mapping[str, str], created: datetime
    ) -> Iterator[IssuedCard]:
        issue = partial(
            IssuedCard,
            client=self.client.id,
            service=trace.service,
            hook=trace.hook,
            as_of=trace.as_of,
            knowledge=trace.knowledge,
            created=created,
            patient=self.patient,
            person=self.person,
        )
        kept = [(card, card.shown, False) for card in trace.cards]
        kept += [(card, False, True) for card in trace.snoozed]
        for card, shown, snoozed in kept:
            yield issue(
                uuid=card.uuid,
                card=card.card,
                indicator=card.indicator,
                criteria=card.criteria,
                shown=shown,
                snoozed=snoozed,
                marks=marks.get(card.uuid, ""),
            )

    def _marks(self, findings: Sequence[Finding], call: Call) -> dict[str, frozenset[str]]:
        """The marks by card; none when they cannot be worked out, and then nothing stays quiet."""
        assert self._memory is not None
        try:
            hashed = partial(self._memory.pseudonyms.mark, self.patient)
            return marks_of(findings, call, self._service, hashed)
        except Exception as error:  # reported as a failing rule is; the advice is given
            self._failed("snooze", error)
            return {}


def _comparable(evaluation: Evaluation) -> list[Finding]:
    """The findings that may be set aside."""
    return [f for f in evaluation.findings if f.speaks and f.indicator is not CRITICAL]
