"""Slots are written whole, zeroed in place, and found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.spool.keyslots import SIZE, KeySlots, Slot, SlotBroken, mark_of
from gateway.spool.sealing import WRAPPED_SIZE

SLOT = Slot(mark_of("m1"), 1, b"w" * WRAPPED_SIZE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shard-0.slots"


def test_a_slot_survives_closing(path: Path) -> None:
    slots = KeySlots(path)
    slots.start(set())
    number = slots.reserve()
    slots.write({number: SLOT})
    slots.sync()
    slots.close()
    again = KeySlots(path, read_only=True)
    assert again.read(number) == SLOT
    assert list(again.used()) == [(number, SLOT)]
    assert again.read(10**6) is None
    again.close()


def test_erasing_leaves_zeros_on_the_disk_and_frees_the_slot(path: Path) -> None:
    slots = KeySlots(path)
    slots.start(set())
    first, second = slots.reserve(), slots.reserve()
    slots.write({first: SLOT, second: SLOT})
    slots.sync()
    slots.erase([first])
    assert slots.unsynced
    raw = path.read_bytes()
    assert raw[first * SIZE : (first + 1) * SIZE] == bytes(SIZE)
    assert raw[second * SIZE : (second + 1) * SIZE] == SLOT.pack()
    slots.sync()
    assert not slots.unsynced
    assert slots.reserve() == first
    slots.close()


def test_start_zeroes_what_no_message_owns_and_cuts_the_tail(path: Path) -> None:
    slots = KeySlots(path)
    slots.start(set())
    numbers = [slots.reserve() for _ in range(600)]
    slots.write(dict.fromkeys(numbers, SLOT))
    slots.sync()
    slots.start({3, 5})
    assert [number for number, _ in slots.used()] == [3, 5]
    assert path.stat().st_size == 6 * SIZE
    assert sorted(slots.reserve() for _ in range(4)) == [1, 2, 4, 6]
    slots.close()


def test_a_damaged_slot_is_neither_empty_nor_a_key(path: Path) -> None:
    slots = KeySlots(path)
    slots.start(set())
    number = slots.reserve()
    slots.write({number: SLOT})
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, b"X", number * SIZE + 50)
    os.close(fd)
    with pytest.raises(SlotBroken):
        slots.read(number)
    assert list(slots.used()) == [(number, None)]
    slots.close()


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=2 * SIZE))
def test_any_octets_are_a_slot_or_an_error(raw: bytes) -> None:
    try:
        slot = Slot.unpack(raw)
    except SlotBroken:
        return
    assert slot is None
    assert raw == bytes(SIZE)


def test_another_file_is_not_taken_for_slots(path: Path) -> None:
    path.write_bytes(b"something else" * 20)
    with pytest.raises(OSError, match="not a slot file"):
        KeySlots(path)


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    KeySlots(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_mark_does_not_tell_the_message() -> None:
    assert mark_of("m1") != mark_of("m2")
    assert b"m1" not in mark_of("m1")
