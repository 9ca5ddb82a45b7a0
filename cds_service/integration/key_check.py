"""The keys of one registered client, fetched as a serving worker would."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.clients import Client, key_sets
from cds_service.key_sets import BadKeySet, Key
from cds_service.start_up import PUBLIC_TEST_KEYS


@dataclass(frozen=True, slots=True)
class Found:
    """Usable keys, and what is wrong with them or with fetching them."""

    keys: tuple[Key, ...] = ()
    faults: tuple[str, ...] = ()


def keys_of(client: Client) -> Found:
    """The keys a client signs with: those of its file, else those at its address."""
    if client.keys:
        return _judged(client, client.keys)
    plain = client.jku.startswith("http:")  # a client file has such keys on loopback only
    sets = key_sets((client,), loopback=plain)
    try:
        return _judged(client, sets.fetch(client.jku))
    except (OSError, BadKeySet) as error:  # every error of requests is an OSError
        why = str(error) if isinstance(error, BadKeySet) else type(error).__name__
        return Found(faults=(f"{client.id}: {client.jku}: {why}",))
    finally:
        sets.close()


def _judged(client: Client, keys: tuple[Key, ...]) -> Found:
    public = (key for key in keys if key.thumbprint in PUBLIC_TEST_KEYS)
    return Found(keys, tuple(f"{client.id}: {key.id} is a public test key" for key in public))
