"""Every shard on disk has exactly one worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.spool.shards import Shard, adopt, present
from tests.spool.mail import message, opened


async def test_mail_of_a_worker_that_is_no_more_is_found_by_another(tmp_path: Path) -> None:
    async with opened(tmp_path, shard=3) as spool:
        await spool.put([message("m1")], [])
    assert adopt(tmp_path, 2) == {0: [0], 1: [1, 3]}
    async with opened(tmp_path, shard=1), opened(tmp_path, shard=3) as adopted:
        assert [e.message for e in await adopted.claim(10.0, 5)] == ["m1"]


def test_without_a_folder_there_is_nothing_to_adopt(tmp_path: Path) -> None:
    assert present(tmp_path / "nowhere") == []
    assert adopt(tmp_path / "nowhere", 2) == {0: [0], 1: [1]}
    with pytest.raises(ValueError, match="workers"):
        adopt(tmp_path, 0)


def test_only_databases_count_as_shards(tmp_path: Path) -> None:
    for name in ("shard-7.sqlite", "shard-7.sqlite-wal", "shard-8.slots", "shard-x.sqlite", "old-shard-9.sqlite"):
        (tmp_path / name).touch()
    assert present(tmp_path) == [Shard(tmp_path, 7)]


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(0, 100)), st.integers(1, 12))
def test_each_shard_is_given_once(tmp_path_factory: pytest.TempPathFactory, shards: set[int], workers: int) -> None:
    folder = tmp_path_factory.mktemp("shards")
    for number in shards:
        Shard(folder, number).database.touch()
    given_out = adopt(folder, workers)
    everything = [number for mine in given_out.values() for number in mine]
    assert len(everything) == len(set(everything))
    assert set(everything) == shards | set(range(workers))
    assert all(mine[0] == worker for worker, mine in given_out.items())
