"""Everything put together: settings become a service that can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from cds_service.audit import to_file
from cds_service.cards import CardLibrary
from cds_service.clients import Client, Registry, key_sets
from cds_service.clients_file import loaded_clients, read_clients
from cds_service.clinical.rule import Rule
from cds_service.clinical.rules import load_rules
from cds_service.errors import KnowledgeError, SettingsError
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.directory_files import read_directory
from cds_service.knowledge.drugs.table import DrugTable
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge
from cds_service.memory.replay import SeenTokens
from cds_service.memory.store import Memory
from cds_service.service import Failed, Service, unheard
from cds_service.settings import Mode, Settings
from cds_service.shipped import shipped
from cds_service.site_queries import query_faults
from cds_service.start_up import PUBLIC_TEST_KEYS, check_production


def load_service(
    settings: Settings, *, remember: bool = False, failed: Failed = unheard
) -> Service:
    """Read all knowledge, rules and cards. `failed` hears of rules, cards and writes that failed.

    Raises KnowledgeError.
    """
    knowledge = load_knowledge(overlay=settings.knowledge, factors=settings.mme_factors.value)
    rules = load_rules()
    _declared(knowledge, rules)
    wanted = (knowledge.valueset(name) for name in _codes(rules))
    vocabulary = Vocabulary(knowledge, DrugTable.load(), wanted, settings.zone)
    library = CardLibrary.load(shipped("cards"), knowledge, rules, settings.cards)
    if settings.directory is not None:
        library = replace(library, directory=read_directory(settings.directory, knowledge))
    orders = {order.name: order.kind for order in library.orders.values()}
    registry = _registry(settings, knowledge, failed, orders)
    memory = _memory(settings, failed) if remember else None
    return Service(settings, knowledge, vocabulary, rules, library, memory, failed, registry)


def load_clients(
    settings: Settings, knowledge: Knowledge, orders: Mapping[str, str] | None = None
) -> tuple[Client, ...]:
    """The registered clients; `orders` are the order files that exist, each with its resource type.

    Raises KnowledgeError, and SettingsError for what production refuses.
    """
    clients: tuple[Client, ...] = ()
    if settings.clients is not None:
        payers = [payer.id for payer in knowledge.payers]
        clients = read_clients(settings.clients, payers, orders)
        for fault in query_faults(clients, loaded_clients(settings.clients)[0]):
            raise fault
    check_production(settings, clients)
    return clients


def _registry(
    settings: Settings, knowledge: Knowledge, failed: Failed, orders: Mapping[str, str]
) -> Registry:
    clients = load_clients(settings, knowledge, orders)
    if not clients:
        return Registry(settings)
    unwanted = PUBLIC_TEST_KEYS if settings.mode is Mode.PRODUCTION else ()
    seen = SeenTokens(settings.database, settings.now)
    sets = key_sets(clients, loopback=settings.open_access, unwanted=unwanted, failed=failed)
    return Registry(settings, clients, seen=seen, sets=sets)


def _codes(rules: Mapping[str, Rule]) -> list[str]:
    """The value sets that some rule declares."""
    return sorted(frozenset[str]().union(*(rule.all_codes for rule in rules.values())))


def _declared(knowledge: Knowledge, rules: Mapping[str, Rule]) -> None:
    """Raises KnowledgeError where a rule declares a value set or a number that no file has."""
    numbers = sorted(frozenset[str]().union(*(rule.all_numbers for rule in rules.values())))
    for folder, names, known in (
        ("valuesets", _codes(rules), knowledge.valuesets),
        ("parameters", numbers, knowledge.parameters),
    ):
        for name in names:
            if name not in known:
                raise KnowledgeError(
                    f"knowledge/{folder}", None, f"no {name!r}, which a rule reads"
                )


def _memory(settings: Settings, failed: Failed) -> Memory:
    def unwritten(error: Exception) -> None:
        failed("memory", error)

    trail = settings.audit_to
    if isinstance(trail, Path):
        try:
            to_file(trail, [])
        except OSError as error:
            raise SettingsError(f"CDS_AUDIT: cannot be written: {error.strerror}") from None
    return Memory(
        settings.database,
        key=settings.hashing_key,
        store_comments=settings.store_comments,
        failed=unwritten,
        audit=partial(to_file, trail) if isinstance(trail, Path) else None,
    )
