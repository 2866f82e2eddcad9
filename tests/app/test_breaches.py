"""The watch over the audit: breaches opened once and counted right, contract mail told of at once and once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.app.breaches import Memory, Watch
from gateway.audit.protocol import AuditRow
from gateway.audit.retention import erase_rows
from gateway.audit.sqlite import erase_person
from gateway.cases.sqlite import SQLiteCases
from gateway.observe import metrics
from gateway.rights import breach
from gateway.rights.breach import CLOSED, Incident, iso
from tests.audit.shards import ANNA, BERT, Shard, row
from tests.cases.house import store

NOW = 1_800_000_000.0


@dataclass
class Post:
    """One organisation under watch. `told` are the mails to its owner."""

    folder: Path
    shard: Shard
    cases: SQLiteCases
    told: list[tuple[str, str, Sequence[str]]] = field(default_factory=list)
    now: float = NOW
    others: list[Shard] = field(default_factory=list)
    watch: Watch | None = None

    async def look(self) -> None:
        """A look by a process that goes on."""
        self.watch = self.watch or self.fresh()
        await self.watch.look([s.path for s in (self.shard, *self.others)], self.now)

    def fresh(self) -> Watch:
        async def tell(organisation: str, subject: str, lines: Sequence[str]) -> None:
            self.told.append((organisation, subject, lines))

        return Watch({"school": self.cases}, self.folder, tell)

    def restart(self) -> None:
        self.watch = None

    async def incidents(self) -> list[Incident]:
        return [Incident.from_json(b.detail) for b in await self.cases.breach_list()]


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    made = Post(tmp_path, Shard(tmp_path / "spool"), store(tmp_path))
    yield made
    await made.cases.close()
    for shard in (made.shard, *made.others):
        shard.close()


def shown(message: str = "m1", *people: bytes, **detail: object) -> list[AuditRow]:
    said = {"stream": "personal", "client": "office", "sensitive": False, **detail}
    return [row(NOW, message, person, "shown", **said) for person in people or (ANNA, BERT)]


def held(message: str = "m1", stream: str = "participation", **detail: object) -> AuditRow:
    return row(NOW, message, ANNA, "held", stream=stream, rule="contract", **detail)


async def test_l26_l38_a_delivered_mail_that_shows_people_opens_a_breach_with_the_right_counts(post: Post) -> None:
    post.shard.write(*shown(), row(NOW, "m1", ANNA), row(NOW, "m1", BERT))
    await post.look()
    (found,) = await post.incidents()
    assert (found.people, found.messages, found.discovered) == (2, ("m1",), iso(NOW))
    assert "sent with visible recipients; 2 addresses visible, 2 copies delivered" in found.cause
    assert found.hours_left(NOW) == 72
    ((organisation, subject, _),) = post.told
    assert (organisation, "72" in subject) == ("school", True)


async def test_l26_nothing_is_opened_before_the_mail_left(post: Post) -> None:
    post.shard.write(*shown())
    await post.look()
    assert await post.incidents() == []
    post.shard.write(row(NOW, "m1", ANNA, "failed"), row(NOW, "m2", ANNA))
    await post.look()
    assert await post.incidents() == []
    post.shard.write(row(NOW + 3 * 86400, "m1", BERT))  # days later, out of a hold
    post.restart()
    await post.look()
    assert len(await post.incidents()) == 1


async def test_l26_mail_that_an_operator_released_from_the_leak_check_is_said_to_be_so(post: Post) -> None:
    released = row(NOW, "m1", ANNA, "released", operator="jan", reason="is fine")
    post.shard.write(*shown(sensitive=True), held(stream="newsletter"), released, row(NOW, "m1", ANNA))
    await post.look()
    (found,) = await post.incidents()
    assert "released by an operator" in found.cause
    assert found.sensitivity == "special"


async def test_l26_one_mail_is_one_breach_however_often_it_is_looked_at(post: Post) -> None:
    post.shard.write(*shown(), row(NOW, "m1", ANNA))
    await post.look()
    post.shard.write(row(NOW, "m1", BERT))
    await post.look()
    (post.folder / "breach-watch.json").unlink()  # a crash came between opening it and remembering that
    post.restart()
    await post.look()
    assert len(await post.incidents()) == 1
    assert len(post.told) == 1


async def test_l26_all_shards_are_watched(post: Post, tmp_path: Path) -> None:
    post.others.append(Shard(tmp_path / "spool", 1))
    post.others[0].write(*shown("m2"), row(NOW, "m2", ANNA))
    post.shard.write(*shown("m1"), row(NOW, "m1", ANNA))
    await post.look()
    assert {i.messages for i in await post.incidents()} == {("m1",), ("m2",)}


async def test_people_who_were_erased_meanwhile_open_nothing(post: Post) -> None:
    post.shard.write(*shown())
    await post.look()
    for person in (ANNA, BERT):
        post.shard.connection.execute("PRAGMA secure_delete = ON")
        erase_person(post.shard.connection, person)
    post.shard.write(row(NOW, "m1", b"c" * 32))
    await post.look()
    assert await post.incidents() == []


async def test_mail_of_an_organisation_that_is_gone_opens_nothing(post: Post) -> None:
    post.shard.write(*shown(organisation="gone"), row(NOW, "m1", ANNA, organisation="gone"))
    await post.look()
    assert await post.incidents() == []


async def test_a_shard_that_was_replaced_is_read_from_its_start(post: Post, tmp_path: Path) -> None:
    post.shard.write(*(row(NOW, f"x{i}") for i in range(9)))
    await post.look()
    post.shard.close()
    post.shard.path.unlink()
    post.shard = Shard(tmp_path / "spool")
    post.shard.write(*shown(), row(NOW, "m1", ANNA))
    await post.look()
    assert len(await post.incidents()) == 1


@pytest.mark.parametrize("stream", ["participation", "informational", "webshop"])
async def test_l22_held_contract_or_safety_mail_is_told_of_at_once_and_once(post: Post, stream: str) -> None:
    alerts = metrics.HOLD_ALERTS.labels("school", stream)
    before = alerts._value.get()
    post.shard.write(held(stream=stream, stopped="leak_check: recipients"), held(stream=stream))
    await post.look()
    ((organisation, _, lines),) = post.told
    assert organisation == "school"
    assert any("m1" in line and "leak_check: recipients" in line for line in lines)
    assert alerts._value.get() == before + 1
    post.now += 3600
    post.shard.write(held(stream=stream))  # held again
    post.restart()
    await post.look()
    assert len(post.told) == 1


async def test_l22_other_mail_may_wait_for_the_digest(post: Post) -> None:
    post.shard.write(held(stream="newsletter"), row(NOW, "m2", ANNA, "held", operator="jan", reason="later"))
    await post.look()
    assert post.told == []


async def test_l22_many_holds_make_one_mail_a_minute(post: Post) -> None:
    post.shard.write(held("m1"))
    await post.look()
    post.shard.write(*(held(f"n{i}") for i in range(30)))
    post.now += 10
    await post.look()
    assert len(post.told) == 1
    post.now += 45
    await post.look()
    assert len(post.told) == 2
    assert sum(line.startswith("n") and "participation" in line for line in post.told[1][2]) == 30


async def test_l26_open_breaches_and_the_hours_left_are_measured(post: Post) -> None:
    value = lambda metric: metric.labels("school")._value.get()  # noqa: E731
    await post.look()
    assert post.watch is not None
    await post.watch.measure(NOW)
    assert (value(metrics.BREACH_OPEN), value(metrics.BREACH_HOURS_LEFT)) == (0, 72)
    old = Incident(iso(NOW - 70 * 3600), "lost laptop")
    told = breach.notified(Incident(iso(NOW - 90 * 3600), "letter"), NOW, "jan", "authority", why="no risk")
    for incident, state in ((old, "open"), (told, "open"), (Incident(iso(0.0), "x"), CLOSED)):
        await post.cases.breach_add(NOW, state, incident.to_json())
    await post.watch.measure(NOW)
    assert (value(metrics.BREACH_OPEN), value(metrics.BREACH_HOURS_LEFT)) == (2, 2)


def test_what_is_remembered_is_forgotten_in_the_end() -> None:
    memory = Memory(shown={"old": NOW - 41 * 86400, "new": NOW}, told={"old": NOW - 41 * 86400})
    memory.forget(NOW)
    assert (memory.shown, memory.told) == ({"new": NOW}, {})


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"positions": {}})])
def test_a_memory_that_cannot_be_read_starts_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.json").write_text(text)
    assert Memory.read(tmp_path / "w.json") == Memory()


async def test_purged_rows_do_not_stop_the_watch(post: Post) -> None:
    post.shard.write(*shown(), row(NOW, "m1", ANNA), row(NOW, "m2"))
    erase_rows(post.shard.connection, [1, 2, 3])
    await post.look()
    assert await post.incidents() == []
