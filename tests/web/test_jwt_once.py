"""A token is let in once, whichever worker sees it first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cds_service.clients import Client
from cds_service.errors import NotAuthorized
from cds_service.service import Service
from cds_service.web.app import create_app
from tests.web.guarded import EC, call, client, ehr, guarded, keys, north
from tests.web.signed import SERVICE_PATH, Keys, claims, known_to, token

__all__ = ["client", "ehr", "guarded", "keys"]


def test_two_workers_let_a_token_in_once_between_them(
    service: Service, client: Client, tmp_path: Path
) -> None:
    workers = [known_to(service, tmp_path / "seen.db", client) for _ in range(2)]
    for _ in range(5):
        text = f"Bearer {token(EC, north())}"

        def ask(worker: Service, text: str = text) -> bool:
            try:
                return worker.identify(text, SERVICE_PATH).id == client.id
            except NotAuthorized:
                return False

        with ThreadPoolExecutor(8) as pool:
            let_in = list(pool.map(ask, workers * 8))
        assert let_in.count(True) == 1
    for worker in workers:
        worker.close()


def test_another_client_may_use_the_same_token_id(
    service: Service, client: Client, keys: Keys, tmp_path: Path
) -> None:
    other = Client("other", issuer="https://other.example", jku=keys.jku)
    ehr = create_app(known_to(service, tmp_path / "j.db", client, other)).test_client()
    assert call(ehr, token(EC, north(jti="1"))).status_code == 400
    assert call(ehr, token(EC, claims(iss="https://other.example", jti="1"))).status_code == 400


def test_without_a_memory_of_used_tokens_nobody_is_let_in(
    service: Service, client: Client, tmp_path: Path
) -> None:
    made = known_to(service, tmp_path / "gone.db", client)
    ehr = create_app(made).test_client()
    assert call(ehr, token(EC, north())).status_code == 400
    (tmp_path / "gone.db").write_bytes(b"not a database, and long enough to tell")
    for extra in ("-wal", "-shm"):
        (tmp_path / f"gone.db{extra}").unlink(missing_ok=True)
    made.registry.close()
    answer = call(ehr, token(EC, north()))
    assert answer.status_code == 503
    assert answer.get_json()["resourceType"] == "OperationOutcome"
