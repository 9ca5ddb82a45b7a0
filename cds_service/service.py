"""The one use case: a CDS Hooks call becomes facts, findings, cards and an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from cds_service.answer import Answer, opioids, unspoken, unwritten
from cds_service.audit import events
from cds_service.body_limits import ENTRIES, ITEMS, flat, within
from cds_service.callback import Callbacks
from cds_service.cards import CardLibrary
from cds_service.clients import ANYONE, Client, Registry
from cds_service.clinical.criteria import Evaluation
from cds_service.clinical.evaluate import evaluate
from cds_service.clinical.facts import Facts
from cds_service.clinical.rule import Call, Rule
from cds_service.desk import Desk, desk, payers_in_force
from cds_service.errors import BadRequest, UnknownService
from cds_service.extensions import root_extension
from cds_service.fhir.prefetch import Fetch, Reading
from cds_service.fhir.sent import Prefetched
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.model import Knowledge, Payer
from cds_service.memory.store import Memory
from cds_service.override import given as read_overrides
from cds_service.protocol.discovery import discovery
from cds_service.protocol.feedback import FeedbackBatch, read_feedback
from cds_service.protocol.messages import HookRequest, read_request
from cds_service.protocol.preference_list import OrderNames
from cds_service.protocol.profiles import shape, shape_discovery
from cds_service.protocol.services import SERVICES
from cds_service.reads import Noted
from cds_service.recall import SNOOZED, Recall, spoken
from cds_service.refusals import Refusals
from cds_service.settings import AuditTo, Settings
from cds_service.silence import audible, silent
from cds_service.site_queries import offered, templates
from cds_service.stopwatch import Stopwatch
from cds_service.trace import Trace, issued, ways
from cds_service.warm import REQUESTS

Failed = Callable[[str, Exception], None]
_OPIOIDS = "opioid-safety"


Witness = Callable[[HookRequest, Reading, Call, Evaluation], None]


def unheard(what: str, error: Exception) -> None:
    """Nobody listens for failures."""


def unmeasured(rows: int) -> None:
    """Nobody measures the queue."""


def unseen(request: HookRequest, reading: Reading, call: Call, evaluation: Evaluation) -> None:
    """Nobody watches an answer being made."""


def _remarks(reading: Reading) -> Iterator[str]:
    """What of the chart keeps an answer without cards."""
    if reading.facts.patient is not None and reading.facts.patient.deceased:
        yield "the patient has died"


class Service:
    """Loaded knowledge, rules and cards, ready to answer."""

    def __init__(
        self,
        settings: Settings,
        knowledge: Knowledge,
        vocabulary: Vocabulary,
        rules: Mapping[str, Rule],
        library: CardLibrary,
        memory: Memory | None = None,
        failed: Failed = unheard,
        registry: Registry | None = None,
    ) -> None:
        self.settings, self.knowledge = settings, knowledge
        self.rules, self.library = rules, library
        self.vocabulary, self._memory, self._failed = vocabulary, memory, failed
        self._callbacks = Callbacks(settings)
        self._order_names = OrderNames({o.name: o.resource for o in library.orders.values()})
        self.registry = registry or Registry(settings)
        audits = memory is not None and settings.audit_to is not AuditTo.NOWHERE
        self.refusals = Refusals(memory.audited if memory and audits else None, settings.now)
        self._offers = {offer.id: offer for offer in SERVICES}
        self._desks = {(o.id, hook): desk(o, hook, rules) for o in SERVICES for hook in o.hooks}
        self._discovery = discovery(lambda offer, hook: self._desks[offer.id, hook].templates)

    def discovery(self, client: Client = ANYONE) -> dict[str, Any]:
        """The discovery document, in the form of the client's profile."""
        return shape_discovery(offered(self._discovery, client), client.profile)

    def known(self, service_id: str) -> None:
        """Raises UnknownService unless the service exists."""
        if service_id not in self._offers:
            raise UnknownService("No such service; the services are listed at /cds-services.")

    def identify(self, authorization: str | None, path: str = "") -> Client:
        """The client that calls a path with this header. Raises NotAuthorized, SQLAlchemyError."""
        return self.registry.identify(authorization, path)

    def payers(self, facts: Facts, client: Client = ANYONE) -> tuple[Payer, ...]:
        """The payers of the active coverages, primary first."""
        return payers_in_force(facts, self.knowledge.payers, dict(client.payers))

    def respond(
        self,
        service_id: str,
        body: bytes,
        *,
        client: Client = ANYONE,
        as_of: date | None = None,
        fetch: Fetch | None = None,
        witness: Witness = unseen,
    ) -> Answer:
        """Answer a hook on `as_of`, else on the clock's date. Raises RequestError for a call that
        is refused.

        `fetch` stands for the client's FHIR server, for cases whose charts no server holds;
        `witness` sees what was read and found before it becomes words.
        """
        self.known(service_id)
        client.may_use(service_id)
        within(body, client.limits, ENTRIES)
        request = read_request(body, Prefetched)
        if request.draft_orders is not None:
            flat(bytes(request.draft_orders), client.limits)
        at = self._desks.get((service_id, request.hook))
        if at is None:
            allowed = ", ".join(self._offers[service_id].hooks)
            raise BadRequest(f"hook: this service answers {allowed}")
        recall = Recall(self._memory, request, service_id, client, self._failed)
        answer = self._answer(
            at, request, client, as_of or self.settings.clock(), fetch, witness, recall
        )
        self._remember(answer, recall)
        return answer

    def feedback(self, service_id: str, body: bytes, *, client: Client = ANYONE) -> FeedbackBatch:
        """Store feedback durably. Raises RequestError, SQLAlchemyError."""
        self.known(service_id)
        client.may_use(service_id)
        within(body, client.limits, ITEMS)
        flat(body, client.limits)
        received = self.settings.now()
        batch = read_feedback(body, received)
        if self._memory is not None:
            reasons = self.library.override_reasons.values()
            today = self.settings.clock()
            self._memory.record(
                client.id, service_id, read_overrides(batch.items, reasons, today), received
            )
        return batch

    def ready(self) -> bool:
        """Whether the database answers; knowledge is loaded or there is no service."""
        return self._memory is None or self._memory.ready()

    def warm(self) -> None:
        """Answer a made-up call on every service and hook, so that no patient waits for a
        first time.
        """
        for (_, hook), at in self._desks.items():
            try:
                self._answer(
                    at, read_request(REQUESTS[hook], Prefetched), ANYONE, self.settings.clock()
                )
            except (
                Exception
            ) as error:  # one broken service should not keep the others from starting
                self._failed(f"warming {at.offer.id}", error)

    def start(self, measured: Callable[[int], None] = unmeasured) -> None:
        """Begin to remember; after the worker has forked. `measured` hears how many rows wait."""
        self.registry.warm()
        if self._memory is not None:
            self._memory.start(measured)

    def close(self) -> None:
        """Write what is still queued, and let go of connections."""
        self._callbacks.close()
        self.registry.close()
        self.refusals.close()
        if self._memory is not None:
            self._memory.close()

    def _answer(
        self,
        at: Desk,
        request: HookRequest,
        client: Client,
        as_of: date,
        given: Fetch | None = None,
        witness: Witness = unseen,
        recall: Recall | None = None,
    ) -> Answer:
        recall = recall or Recall(None, request, at.offer.id, client, self._failed)
        if request.unadvised:
            trace = self._trace(at, as_of, (*request.notes, request.unadvised))
            return Answer(200, {"cards": []}, trace())
        watch = Stopwatch()
        fetch, note = (given, "") if given is not None else self._callbacks.of(request, client)
        noted = Noted(fetch, request.patient_id) if fetch is not None else None
        most = client.limits.entries
        reading = at.read(request, as_of, self.vocabulary, noted, templates(client), most)
        watch.lap("reading")
        payers = self.payers(reading.facts, client)
        call = Call(reading.facts, self.knowledge, payers)
        evaluation = evaluate(at.rules, reading.facts, self.knowledge, payers, self._failed, call)
        watch.lap("rules")
        witness(request, reading, call, evaluation)
        notes = (*request.notes, *((note,) if note else ()), *_remarks(reading))
        reads = tuple(noted.reads) if noted is not None else ()
        trace = partial(
            self._trace(at, as_of, notes),
            payers=tuple(payer.id for payer in payers),
            needs=ways(reading.came),
            rules=evaluation.trace,
            reads=reads,
            microseconds=watch.laps,  # to which the last lap is still to come
        )
        answer = unspoken(evaluation, trace) or self._speak(
            at, request, reading, call, evaluation, recall, trace
        )
        watch.lap("cards")
        return answer

    def _speak(
        self,
        at: Desk,
        request: HookRequest,
        reading: Reading,
        call: Call,
        evaluation: Evaluation,
        recall: Recall,
        trace: Callable[..., Trace],
    ) -> Answer:
        """What was found in words, as far as this user is to hear it, in the form of the client."""
        client = recall.client
        shows = client.showing(request.user_id, self.settings.hash_key.get_secret_value())
        heard = audible(evaluation, shows, at.offer.folding)
        quiet = recall.quiet(heard, call)
        said = spoken(heard, quiet)
        occasion = at.occasion(request, reading, call.payers, client.id)
        lost: dict[str, Exception] = {}
        cards = self.library.compose(said, occasion, self.settings.about_url, lost.__setitem__)
        heard = unwritten(heard, lost, self._failed)
        body: dict[str, Any] = {"cards": cards}
        extension = self._extension(at, call, heard)
        if quiet:
            extension[SNOOZED] = [each.listed for each in quiet]
        if extension and not client.all_silent:
            body["extension"] = extension
        body = shape(
            body,
            client.profile,
            drafts=reading.drafts.counted,
            configuration=request.configuration,
            entry_of=self._order_names.entries(client.preference_list),
        )
        named = issued(cards)
        told = trace(
            rules=heard.trace,
            cards=(*named, *silent(evaluation, heard, request.hook_instance, at.offer.id)),
            snoozed=tuple([each.traced(request.hook_instance, at.offer.id) for each in quiet]),
        )
        return Answer(200, body, told, recall.marks(named, said, call))

    def _extension(self, at: Desk, call: Call, heard: Evaluation) -> dict[str, Any]:
        known = opioids(call, self._failed) if at.offer.id == _OPIOIDS else (None, None)
        return root_extension(call.facts, heard, *known)

    def _trace(self, at: Desk, as_of: date, notes: tuple[str, ...]) -> Callable[..., Trace]:
        """A trace of which the rest is still to be told."""
        return partial(
            Trace,
            service=at.offer.id,
            hook=at.hook,
            as_of=as_of,
            knowledge=self.knowledge.version,
            factors=self.knowledge.factors.id,
            notes=notes,
        )

    def _remember(self, answer: Answer, recall: Recall) -> None:
        """Queue the cards of an answer and its part of the audit trail; no patient data."""
        if self._memory is None:
            return
        now = self.settings.now()
        recall.keep(answer.trace, answer.marks, now)
        if self.settings.audit_to is not AuditTo.NOWHERE:
            self._memory.audited(partial(events, recall, answer.trace, answer.status, now))
