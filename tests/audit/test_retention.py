"""Forgetting audit rows past their term, class by class and organisation by organisation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.audit.proof import verify
from gateway.audit.reading import AuditReader
from gateway.audit.retention import ACTS, BOUNCES, SENDS, Key, Swept, class_of, erase_rows, purge, sweep
from tests.audit.shards import Shard, row


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    made = Shard(tmp_path)
    yield made
    made.close()


def run(shard: Shard, limits: dict[Key, float], *, dry: bool = False) -> Swept:
    def forget(numbers: object) -> None:
        if not dry:
            erase_rows(shard.connection, numbers)  # type: ignore[arg-type]

    return sweep(shard.connection, lambda key: limits.get(key, 0.0), forget=forget)


def left(shard: Shard) -> list[float]:
    return [r.at for r in AuditReader([shard.path]).rows()]


@pytest.mark.parametrize(
    ("what", "kept_as"),
    [("delivered", SENDS), ("accepted", SENDS), ("edited", SENDS), ("failed", BOUNCES), ("deferred", BOUNCES),
     ("released", ACTS), ("read", ACTS), ("purged", ACTS)],
)  # fmt: skip
def test_each_kind_of_row_has_its_class(what: str, kept_as: str) -> None:
    assert class_of(what) == kept_as


def test_s56_rows_past_their_term_lose_their_content_and_others_do_not(shard: Shard) -> None:
    shard.write(row(1), row(2, what="failed"), row(3, what="released"), row(4), row(5, organisation="other"))
    swept = run(shard, {("school", SENDS): 4, ("school", BOUNCES): 3, ("school", ACTS): 3})
    assert swept.forgotten == {("school", SENDS): 1, ("school", BOUNCES): 1}
    assert swept.oldest == {("school", SENDS): 4, ("school", ACTS): 3, ("other", SENDS): 5}
    assert left(shard) == [3, 4, 5]
    assert verify(shard.path).whole


def test_a_dry_run_says_the_same_and_forgets_nothing(shard: Shard) -> None:
    shard.write(row(1), row(4))
    dry = run(shard, {("school", SENDS): 4}, dry=True)
    assert left(shard) == [1, 4]
    assert dry == run(shard, {("school", SENDS): 4})
    assert left(shard) == [4]


def test_many_rows_go_page_by_page(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.audit.retention._PAGE", 10)
    shard.write(*(row(at) for at in range(35)))
    assert run(shard, {("school", SENDS): 25}).forgotten == {("school", SENDS): 25}
    assert left(shard) == list(range(25, 35))
    assert run(shard, {("school", SENDS): 25}).forgotten == {}


def test_what_several_shards_say_adds_up() -> None:
    one, two = Swept(), Swept()
    one.forgotten["a", SENDS], two.forgotten["a", SENDS] = 1, 2
    one.oldest["a", SENDS], two.oldest["a", SENDS], two.oldest["b", SENDS] = 5.0, 3.0, 7.0
    one.add(two)
    assert one.forgotten == {("a", SENDS): 3}
    assert one.oldest == {("a", SENDS): 3.0, ("b", SENDS): 7.0}


def test_s56_a_shard_is_purged_while_its_owner_writes(shard: Shard) -> None:
    shard.write(row(1), row(2, what="released"), row(5))
    assert purge(shard.path, lambda _key: 3.0, dry=True).forgotten.total() == 2
    assert left(shard) == [1, 2, 5]
    shard.connection.execute("PRAGMA journal_mode = WAL")
    assert purge(shard.path, lambda _key: 3.0).forgotten.total() == 2
    shard.write(row(6))
    assert left(shard) == [5, 6]
    assert verify(shard.path).whole


def test_there_is_nothing_to_purge_in_a_shard_that_is_not_there(tmp_path: Path) -> None:
    assert purge(tmp_path / "absent.sqlite", lambda _key: 3.0) == Swept()
