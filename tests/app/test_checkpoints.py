"""When a worker signs its shards, and that trouble is said and not fatal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app import checkpoints
from gateway.app.checkpoints import EVERY, sign, sign_and_say
from gateway.audit.checkpoints import AuditKeys, Checkpoints
from gateway.audit.proof import verify
from tests.audit.shards import Shard, row

KEYS = AuditKeys({1: b"s" * 32})


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    made = Shard(tmp_path)
    yield made
    made.close()


def signed(shard: Shard, now: float, *, at_once: bool = False) -> list[int]:
    return [made.number for made in sign([shard.path], KEYS, now, at_once=at_once)]


def test_l07_the_end_is_signed_every_hour_when_something_was_added(shard: Shard) -> None:
    shard.write(row(1))
    assert signed(shard, 100.0) == [1], "the first is due at once"
    shard.write(row(2))
    assert signed(shard, 100.0 + EVERY - 1) == []
    assert signed(shard, 100.0 + EVERY) == [2]
    assert signed(shard, 100.0 + 9 * EVERY) == [], "nothing was added"
    proof = verify(shard.path, KEYS.public)
    assert (proof.whole, proof.signed, proof.checkpoints) == (True, 2, 2)


def test_l07_many_rows_are_signed_before_the_hour_is_over(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "ROWS", 3)
    shard.write(row(1))
    signed(shard, 100.0)
    shard.write(row(2), row(3))
    assert signed(shard, 101.0) == []
    shard.write(row(4))
    assert signed(shard, 101.0) == [4]


def test_l07_at_stop_whatever_was_added_is_signed(shard: Shard) -> None:
    assert signed(shard, 100.0, at_once=True) == [], "an empty shard has nothing to sign"
    shard.write(row(1))
    signed(shard, 100.0)
    shard.write(row(2))
    assert signed(shard, 101.0, at_once=True) == [2]
    assert signed(shard, 102.0, at_once=True) == []


def test_a_clock_that_was_put_back_puts_off_no_checkpoint(shard: Shard) -> None:
    shard.write(row(1))
    signed(shard, 10**9)
    shard.write(row(2))
    assert signed(shard, 100.0) == [2]


def test_two_shards_have_a_file_each_and_an_adopted_one_goes_on_in_its_own(tmp_path: Path, shard: Shard) -> None:
    other = Shard(tmp_path, 7)
    shard.write(row(1))
    other.write(row(1), row(2))
    assert [m.shard for m in sign([shard.path, other.path], KEYS, 100.0)] == ["shard-0", "shard-7"]
    other.write(row(3))
    sign([other.path], KEYS, 101.0, at_once=True)  # by whoever owns it now
    assert len(Checkpoints.beside(other.path).lines()) == 2
    assert verify(other.path, KEYS.public).whole
    other.close()


def test_each_checkpoint_is_in_the_log_and_so_is_trouble(
    tmp_path: Path, shard: Shard, capsys: pytest.CaptureFixture[str]
) -> None:
    shard.write(row(1))
    sign_and_say([shard.path], KEYS, 100.0)
    said = capsys.readouterr()
    assert shard.end[1].hex() in said.out + said.err
    broken = tmp_path / "shard-1.sqlite"
    broken.write_bytes(b"nothing " * 500)
    sign_and_say([broken], KEYS, 100.0)
    said = capsys.readouterr()
    assert "audit checkpoint" in said.out + said.err
