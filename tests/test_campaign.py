"""Comparing copies across workers, with a store that may be away, and for explaining without one."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway import campaign
from gateway.address import Address
from gateway.agreement import SAMPLE
from gateway.campaign import Campaigns, Copy
from gateway.campaigns.backend import place
from gateway.campaigns.protocol import CampaignStore, CampaignsUnavailable, Entry
from gateway.campaigns.sqlite import SQLiteCampaigns
from gateway.compared import NEVER, Sameness
from gateway.config.campaigns import Campaigns as Settings
from gateway.filters.campaign_addresses import UNSEEN, find
from tests.newsletters import LOGO, PICTURES, PIXEL, TEXT, Letter

NOW = 1_800_000_000.0
DAY = 86400
LETTER = Letter((LOGO, TEXT, PICTURES, PIXEL))
OPEN = "https://t.esp.example/o/{TOKEN:open}.gif"
SETTINGS = Settings()
Worker = Callable[..., Campaigns]


def copy_for(name: str, letter: Letter = LETTER, *, mark: str = "", sender: Sequence[str] = ("crm", "info")) -> Copy:
    return Copy(tuple(sender), mark, find(letter.message(name)), [Address.parse(f"{name}@people.example")])


async def told(one: Campaigns, name: str, now: float = NOW, **of: Any) -> Sameness:
    """What is said of the individual image in this person's copy."""
    found = await one.compare(copy_for(name, **of), SETTINGS, now)
    return found.of(of.get("letter", LETTER).address(OPEN, name)).sameness


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """One more worker of an organisation, on the same file."""
    made: list[Campaigns] = []

    def one(organisation: str = "school", *, store: CampaignStore | None = None, **options: Any) -> Campaigns:
        kept = store or SQLiteCampaigns(place(tmp_path, organisation), read_only=options.get("writes") is False)
        made.append(Campaigns(organisation, kept, **options))
        return made[-1]

    yield one
    for item in made:
        await item.close()


def rows(tmp_path: Path, organisation: str = "school") -> int:
    with sqlite3.connect(place(tmp_path, organisation)) as db:
        return int(db.execute("SELECT COUNT(*) FROM entries").fetchone()[0])


def epochs(tmp_path: Path) -> set[int]:
    with sqlite3.connect(place(tmp_path, "school")) as db:
        return {epoch for (epoch,) in db.execute("SELECT epoch FROM entries")}


async def test_a_reload_tells_the_store_how_time_is_divided_now(worker: Worker, tmp_path: Path) -> None:
    class Told(SQLiteCampaigns):
        def keep_until(self, ends: Callable[[int], int]) -> None:
            self.end = ends(7)

    store = Told(place(tmp_path, "school"))
    worker(store=store).reload(Settings(keep="2d"))
    assert store.end == Settings(keep="2d").ends(7) != SETTINGS.ends(7)


async def test_r059_one_worker_sees_what_differs_at_once(worker: Worker) -> None:
    one = worker()
    assert await told(one, "anna") is Sameness.UNKNOWN
    assert await told(one, "bert") is Sameness.INDIVIDUAL


async def test_r059_another_worker_sees_it_as_soon_as_it_is_written(worker: Worker) -> None:
    one, other = worker(), worker()
    await told(one, "anna")
    await one.flush()
    assert await told(other, "bert") is Sameness.INDIVIDUAL
    await other.flush()
    found = await one.compare(copy_for("cees"), SETTINGS, NOW)
    assert found.of("https://cdn.shop.example/logo.png").sameness is Sameness.COMMON


async def test_two_workers_that_began_the_same_campaign_at_once_agree_on_one(worker: Worker) -> None:
    one, other = worker(), worker()
    for name, who in (("anna", one), ("bert", other)):
        assert await told(who, name) is Sameness.UNKNOWN
    for who in (one, other, one, other):
        await who.flush()
    assert await told(one, "cees") is Sameness.INDIVIDUAL
    await one.flush()
    assert await told(other, "dirk") is Sameness.INDIVIDUAL
    await other.flush()
    found = await one.compare(copy_for("eva"), SETTINGS, NOW)
    assert found.of("https://cdn.shop.example/logo.png").sameness is Sameness.COMMON


async def test_a_restart_forgets_nothing(worker: Worker) -> None:
    one = worker()
    await told(one, "anna")
    await one.close()
    assert await told(worker(), "bert") is Sameness.INDIVIDUAL


async def test_i12_organisations_never_meet(worker: Worker) -> None:
    ours, theirs = worker(), worker("shop")
    await told(ours, "anna")
    await ours.flush()
    assert await told(theirs, "bert") is Sameness.UNKNOWN


async def test_other_senders_have_other_campaigns(worker: Worker) -> None:
    one = worker()
    await told(one, "anna")
    assert await told(one, "bert", sender=("crm", "other")) is Sameness.UNKNOWN
    assert await told(one, "cees") is Sameness.INDIVIDUAL


async def test_the_clients_own_mark_names_the_campaign_whatever_is_in_it(worker: Worker) -> None:
    one, other = worker(), worker()
    changed = Letter((LOGO, TEXT.replace("Alinea", "Heel iets anders"), PIXEL), subject="Niets eender")
    await told(one, "anna", mark="c-1")
    await one.flush()
    assert await told(other, "bert", letter=changed, mark="c-1") is Sameness.INDIVIDUAL
    assert await told(other, "cees", letter=changed, mark="c-2") is Sameness.UNKNOWN


async def test_a_mail_without_addresses_or_with_comparing_off_asks_nobody(worker: Worker, tmp_path: Path) -> None:
    one = worker()
    assert await one.compare(Copy(("crm",), "", UNSEEN, [Address.parse("a@b.example")]), SETTINGS, NOW) is NEVER
    assert await one.compare(copy_for("anna"), Settings(compare=False), NOW) is NEVER
    assert list(tmp_path.iterdir()) == []


async def test_a_campaign_lives_on_into_the_next_epoch_and_ends_with_its_own(worker: Worker, tmp_path: Path) -> None:
    one = worker()
    epoch = SETTINGS.epoch(NOW)
    late, next_day = (epoch + 1) * SETTINGS.epoch_seconds - 60, (epoch + 1) * SETTINGS.epoch_seconds + 60
    await told(one, "anna", late)
    await one.flush()
    assert await told(one, "bert", next_day) is Sameness.INDIVIDUAL
    assert await told(worker(), "cees", next_day) is Sameness.INDIVIDUAL
    gone = SETTINGS.ends(epoch) + 1
    assert await one.purge(SETTINGS, gone) >= 1
    assert await told(one, "dirk", gone) is Sameness.UNKNOWN


async def test_i7_nothing_readable_is_stored(worker: Worker, tmp_path: Path) -> None:
    one = worker()
    for name in ("anna", "bert", "cees"):
        await told(one, name, mark="najaar")
        await told(one, name)
    await one.flush()
    raw = b"".join(path.read_bytes() for path in place(tmp_path, "school").parent.iterdir())
    for text in (b"anna", b"people", b"shop", b"esp", b"logo", b"Alinea", b"lessen", b"najaar", b"crm", b"info"):
        assert text not in raw


async def test_hashes_of_a_person_in_two_campaigns_are_different(worker: Worker, tmp_path: Path) -> None:
    one = worker()
    await told(one, "anna", mark="a")
    await told(one, "anna", mark="b")
    await one.flush()
    with sqlite3.connect(place(tmp_path, "school")) as db:
        people = [set(_people(bytes(data))) for (data,) in db.execute("SELECT data FROM entries")]
    assert len(people) == 2
    assert all(len(found) == 1 for found in people)
    assert people[0] != people[1]


def _people(entry: bytes) -> list[bytes]:
    head = 9 + (entry[7] + entry[8]) * 4
    return [entry[at + 12 : at + 16] for at in range(head, len(entry), 16)]


async def test_a_long_run_is_written_in_few_small_rows(worker: Worker, tmp_path: Path) -> None:
    one = worker()
    for number in range(200):
        await told(one, f"p{number}")
        if number % 4 == 0:
            await one.flush()
    await one.flush()
    assert rows(tmp_path) <= SAMPLE
    with sqlite3.connect(place(tmp_path, "school")) as db:
        assert db.execute("SELECT SUM(LENGTH(data)) FROM entries").fetchone()[0] < 8192


async def test_only_so_much_is_remembered_and_the_rest_is_read_again(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "_MOST_RECORDS", 10)
    one = worker()
    for sender in ("a", "b", "c"):
        assert await told(one, "anna", sender=("crm", sender)) is Sameness.UNKNOWN
        await one.flush()
    assert len(one._parts) == 1
    for sender in ("a", "b", "c"):
        assert await told(one, "bert", sender=("crm", sender)) is Sameness.INDIVIDUAL


class Away:
    """A store that raises, or never answers."""

    def __init__(self, *, hangs: bool = False, key: bytes = b"") -> None:
        self.hangs = hangs
        self.key = key
        self.asked = 0

    async def _no(self) -> Any:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        raise CampaignsUnavailable("away")

    async def secret(self, epoch: int, *, make: bool) -> bytes:
        return self.key or await self._no()

    async def read(self, epoch: int, family: bytes, after: str) -> tuple[list[bytes], str]:
        return await self._no()  # type: ignore[no-any-return]

    async def add(self, entries: Sequence[Entry]) -> None:
        await self._no()

    async def purge(self, first: int, last: int) -> int:
        return await self._no()  # type: ignore[no-any-return]

    async def close(self) -> None:
        pass


def uncompared(organisation: str) -> float:
    return REGISTRY.get_sample_value("briefgeheim_uncompared_total", {"organisation": organisation}) or 0.0


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_store_that_is_away_is_done_without_and_counted(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    monkeypatch.setattr(campaign, "PATIENCE", 0.001)
    monkeypatch.setattr(campaign, "WRITING", 0.001)
    store, before = Away(hangs=hangs), uncompared("away")
    one = worker("away", store=store)
    assert await told(one, "anna") is Sameness.UNKNOWN
    asked = store.asked
    assert await told(one, "bert") is Sameness.INDIVIDUAL  # this process saw both
    assert store.asked == asked == 1  # nobody waits twice for what is away
    assert uncompared("away") == before + 2
    await one.flush()
    assert await one.purge(SETTINGS, NOW) == 0


async def test_a_store_whose_entries_are_away_is_not_asked_for_each_mail(worker: Worker) -> None:
    clock, store = [0.0], Away(key=b"k" * 32)
    one = worker("away", store=store, monotonic=lambda: clock[0])
    for name in ("anna", "bert", "cees"):
        await told(one, name)
    assert store.asked == 1
    clock[0] += campaign.AWAY + 1
    await told(one, "dirk")
    assert store.asked == 2


async def test_a_store_that_comes_back_gets_what_was_seen_since(worker: Worker, tmp_path: Path) -> None:
    clock = [0.0]
    one = worker(monotonic=lambda: clock[0])
    await told(one, "anna")
    holder = sqlite3.connect(place(tmp_path, "school"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        await one.flush()
        assert rows(tmp_path) == 0
        assert await told(one, "bert") is Sameness.INDIVIDUAL
    finally:
        holder.close()
    clock[0] += campaign.AWAY + 1
    await one.flush()
    assert await told(worker(), "cees") is Sameness.INDIVIDUAL


async def test_a_damaged_file_is_no_reason_to_raise(worker: Worker, tmp_path: Path) -> None:
    path = place(tmp_path, "school")
    path.parent.mkdir()
    path.write_bytes(b"no database at all, only text\n" * 300)
    one = worker()
    assert await told(one, "anna") is Sameness.UNKNOWN
    assert await told(one, "bert") is Sameness.INDIVIDUAL
    await one.flush()


async def test_i11_explaining_sees_what_is_known_and_writes_nothing(worker: Worker, tmp_path: Path) -> None:
    one = worker()
    await told(one, "anna")
    await one.flush()
    before = rows(tmp_path)
    dry = worker(writes=False)
    assert await told(dry, "bert") is Sameness.INDIVIDUAL
    assert not dry.stirred.is_set()
    await dry.flush()
    assert rows(tmp_path) == before
    assert (await one.compare(copy_for("cees"), SETTINGS, NOW)).of("https://cdn.shop.example/logo.png").sameness is (
        Sameness.UNKNOWN
    )


async def test_i11_explaining_several_copies_compares_them_with_each_other(worker: Worker, tmp_path: Path) -> None:
    dry = worker(writes=False)
    assert await told(dry, "anna") is Sameness.UNKNOWN
    assert await told(dry, "bert") is Sameness.INDIVIDUAL
    assert list(tmp_path.iterdir()) == []


async def test_the_loop_writes_by_itself_and_purges(worker: Worker, tmp_path: Path) -> None:
    one, other = worker(), worker()
    old = NOW - 30 * DAY
    await told(one, "anna", old)
    await one.flush()
    running = asyncio.create_task(one.run(lambda: SETTINGS, lambda: NOW), name="campaigns")
    await told(one, "bert")
    end = time.monotonic() + 60
    while epochs(tmp_path) != {SETTINGS.epoch(NOW)} and time.monotonic() < end:  # the new one came, the old one went
        await asyncio.sleep(0.02)
    found = await other.compare(copy_for("cees"), SETTINGS, NOW)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert found.of(LETTER.address(OPEN, "cees")).sameness is Sameness.INDIVIDUAL
    with sqlite3.connect(place(tmp_path, "school")) as db:
        assert db.execute("SELECT COUNT(*) FROM epochs WHERE epoch = ?", (SETTINGS.epoch(old),)).fetchone() == (0,)
