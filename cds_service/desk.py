"""What answers one service on one hook: its rules, the data they ask for, and how that data
is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from cds_service.card_suggestions import Occasion
from cds_service.clinical.evaluate import needs_of
from cds_service.clinical.facts import Facts, Need
from cds_service.clinical.rule import Rule
from cds_service.errors import BadRequest
from cds_service.fhir.prefetch import Fetch, Reading, read_facts
from cds_service.fhir.queries import template
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.model import Payer
from cds_service.knowledge.payers import recognise
from cds_service.protocol.messages import HookRequest
from cds_service.protocol.services import Service


@dataclass(frozen=True, slots=True)
class Desk:
    """One service on one hook: `rules` in card order, `needs` in the order they are published."""

    offer: Service
    hook: str
    rules: tuple[Rule, ...]
    needs: tuple[Need, ...]

    @property
    def templates(self) -> dict[str, str]:
        """The prefetch: key and template of everything the rules need or want."""
        return {need.value: template(need) for need in self.needs}

    def read(
        self,
        request: HookRequest,
        as_of: date,
        vocabulary: Vocabulary,
        fetch: Fetch | None,
        templates: Mapping[Need, str],
        most_entries: int,
    ) -> Reading:
        """The facts of a call; `templates` are a site's own queries in place of ours.

        Raises TooLarge beyond `most_entries` in the body; BadRequest, also for JSON that is broken
        inside a value.
        """
        needs = self.needs
        try:
            return read_facts(
                request,
                as_of=as_of,
                needs=needs,
                vocabulary=vocabulary,
                fetch=fetch,
                templates=templates,
                most_entries=most_entries,
            )
        except RecursionError:
            raise BadRequest("the body is nested too deeply") from None
        except (UnicodeDecodeError, msgspec.DecodeError):
            raise BadRequest("a resource in the body is not valid JSON") from None

    def occasion(
        self, request: HookRequest, reading: Reading, payers: tuple[Payer, ...], site: str
    ) -> Occasion:
        """What the cards of this call are written for."""
        return Occasion(
            service=self.offer,
            hook=self.hook,
            hook_instance=request.hook_instance,
            facts=reading.facts,
            drafts=reading.drafts.counted,
            beside=reading.drafts.beside,
            patient=request.patient_id,
            encounter=request.encounter_id,
            requester=request.user_id,
            payers=payers,
            site=site,
        )


def desk(offer: Service, hook: str, rules: Mapping[str, Rule]) -> Desk:
    """The desk of a service and hook; of its cards, those whose rule answers the hook."""
    asked = tuple(
        rules[card] for card in offer.cards[hook] if card in rules and hook in rules[card].hooks
    )
    wanted = frozenset[Need]().union(*(needs_of(rule) for rule in asked))
    return Desk(offer, hook, asked, tuple(need for need in Need if need in wanted))


def payers_in_force(
    facts: Facts, payers: Iterable[Payer], mapping: Mapping[str, str]
) -> tuple[Payer, ...]:
    """The payers of the active coverages, primary first; `mapping` is the client's own."""
    active = [coverage for coverage in facts.coverages if coverage.active(facts.as_of)]
    active.sort(key=lambda coverage: len(active) + 1 if coverage.order is None else coverage.order)
    found: dict[str, Payer] = {}
    for coverage in active:
        names = (*coverage.names, coverage.text)
        for payer in recognise(payers, names, coverage.identifiers, mapping):
            found.setdefault(payer.id, payer)
    return tuple(found.values())
