"""The small loops of a worker, as far as they are plain questions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app.inspector import Inspector
from gateway.app.worker import Prepared, Worker, held_reasons, share, until_morning
from gateway.audit.sqlite import AuditWriter
from gateway.config.campaigns import Campaigns
from gateway.config.gateway import Limits
from gateway.config.inspector import Inspector as Settings
from gateway.config.trackers import Trackers
from gateway.observe import metrics
from gateway.spool.protocol import NewMessage, NewRow, State
from gateway.spool.sqlite import SQLiteSpool

DAY = 86400


@pytest.mark.parametrize(("hour", "wait"), [(5, 1), (7, 23), (23, 7), (6, 24)])
def test_the_digest_comes_at_six_whenever_the_worker_started(hour: int, wait: int) -> None:
    assert until_morning(20_000 * DAY + hour * 3600) == wait * 3600


def message(number: int, state: State, reason: str) -> NewMessage:
    row = NewRow(b"e" * 32, b"w" * 32, state, "p", "nl/untracked", {"address": "a@b.example"}, 0.0, 0.0, reason)
    return NewMessage(f"m{number}", number, "school", "crm", "newsletter", 0.0, {}, {}, b"x", (row,))


async def test_the_digest_counts_held_mail_of_every_shard(tmp_path: Path) -> None:
    for shard in (0, 1):
        spool = SQLiteSpool(tmp_path, shard, {1: b"s" * 32}, AuditWriter())
        await spool.put([message(1 + shard, State.HELD, "leak"), message(5, State.QUEUED, "")], ())
        await spool.close()
    assert held_reasons(tmp_path) == {"school": {"leak": 2}}


def test_r018_what_an_earlier_process_was_cut_off_in_counts_as_uncertain() -> None:
    before = metrics.UNCERTAIN.labels("school")._value.get()
    spools = [SimpleNamespace(cut_off=Counter(school=2)), SimpleNamespace(cut_off=Counter(school=1, other=1))]
    worker: Any = SimpleNamespace(loaded=SimpleNamespace(version="0123", trackers=Trackers.empty()), spools=spools)
    Worker.measure_start(worker)
    assert metrics.UNCERTAIN.labels("school")._value.get() == before + 3
    assert metrics.SETTINGS_VERSION.labels("0123")._value.get() == 1


def test_limits_of_the_node_are_shared_and_never_nothing() -> None:
    shared = share(Limits(connections=3, connections_per_address=1), 2)
    assert (shared.connections, shared.connections_per_address) == (2, 1)


def test_a_reload_reaches_the_inspector_and_the_campaigns() -> None:
    told: list[object] = []

    def nothing(*_: object) -> None:
        pass

    organisation = SimpleNamespace(campaigns=Campaigns(keep="2d"))
    gateway = SimpleNamespace(inspector=Settings(rows=7))
    loaded: Any = SimpleNamespace(version="0124", trackers=Trackers.empty(), gateway=gateway)
    tenants: Any = {"school": SimpleNamespace(organisation=organisation, pseudonyms=None)}
    rest: Any = SimpleNamespace(provider_password=None)
    worker: Any = SimpleNamespace(
        loaded=loaded, outbox=SimpleNamespace(), pipeline=SimpleNamespace(), number=1, inspector=Inspector(),
        delivery=SimpleNamespace(reload=nothing),
        ingress=SimpleNamespace(use_clients=nothing, renew_certificates=nothing),
        registries={"school": SimpleNamespace(use_keys=nothing)},
        campaigns={"school": SimpleNamespace(reload=told.append)},
    )  # fmt: skip
    Worker.commit(worker, Prepared(loaded, tenants, rest, rest, rest, {}))
    assert worker.inspector.bounds.texts == 7
    assert told == [organisation.campaigns]
