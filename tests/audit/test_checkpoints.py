"""Checkpoints: signed, each over the one before, durable, and readable after a crash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.checkpoints import FIRST, AuditKeys, Checkpoint, CheckpointDamaged, Checkpoints, read

KEYS = AuditKeys({1: b"s" * 32})
CHAIN = b"c" * 32


@pytest.fixture
def file(tmp_path: Path) -> Checkpoints:
    return Checkpoints.beside(tmp_path / "shard-3.sqlite")


def test_l07_a_checkpoint_is_signed_over_all_it_says() -> None:
    made = KEYS.sign("shard-0", 7, CHAIN, 1.5, FIRST)
    assert KEYS.public.fits(made)
    changed = [
        replace(made, shard="shard-1"), replace(made, number=8), replace(made, chain=b"d" * 32), replace(made, at=2.0),
        replace(made, before=b"e" * 32), replace(made, key=2), replace(made, signature=b"x" * 64),
    ]  # fmt: skip
    assert [c for c in changed if KEYS.public.fits(c)] == []


def test_a_line_reads_as_it_was_written() -> None:
    made = KEYS.sign("shard-0", 7, CHAIN, 1.5, FIRST)
    assert read([made.line(), ""]) == [made]


def test_the_file_lies_beside_the_database_and_grows_by_a_line(file: Checkpoints) -> None:
    first = file.append(KEYS, 3, CHAIN, 1.0)
    second = file.append(KEYS, 9, b"d" * 32, 2.0)
    assert first is not None
    assert second is not None
    assert (first.shard, first.before) == ("shard-3", FIRST)
    assert second.before == first.digest
    assert read(file.lines()) == [first, second]
    assert file.newest() == second
    assert oct(file.path.stat().st_mode & 0o777) == "0o600"


def test_nothing_is_written_when_nothing_was_added(file: Checkpoints) -> None:
    file.append(KEYS, 3, CHAIN, 1.0)
    assert file.append(KEYS, 3, CHAIN, 2.0) is None
    assert file.append(KEYS, 2, CHAIN, 3.0) is None
    assert len(file.lines()) == 1


def test_a_line_that_a_crash_left_half_written_is_replaced(file: Checkpoints) -> None:
    first = file.append(KEYS, 3, CHAIN, 1.0)
    with file.path.open("a") as torn:
        torn.write('{"shard": "shard-3", "numb')
    assert file.newest() == first
    second = file.append(KEYS, 4, CHAIN, 2.0)
    assert read(file.lines()) == [first, second]


def test_no_file_has_no_lines(file: Checkpoints) -> None:
    assert (file.lines(), file.newest()) == ([], None)


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies(file: Checkpoints) -> None:
    old = file.append(KEYS, 3, CHAIN, 1.0)
    rotated = AuditKeys({1: b"s" * 32, 2: b"t" * 32})
    new = file.append(rotated, 4, CHAIN, 2.0)
    assert new is not None
    assert new.key == 2
    assert [rotated.public.fits(c) for c in (old, new) if c] == [True, True]
    assert not KEYS.public.fits(new)


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_line_is_a_checkpoint_or_said_to_be_none(text: str) -> None:
    try:
        Checkpoint.read(text)
    except CheckpointDamaged:
        pass


def test_what_cannot_be_read_is_named_by_its_line() -> None:
    made = KEYS.sign("shard-0", 7, CHAIN, 1.5, FIRST)
    with pytest.raises(CheckpointDamaged, match="line 2"):
        read([made.line(), "[1e400]"])
