"""Records on disk: what is written comes back, what was changed does not pass."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import BlockKind, Scope, ScopeKind
from gateway.pseudonym import Pseudonyms
from gateway.registry.record import RECORD_SIZE, Actor, Head, JournalDamaged, Mark, Record, pack, unpack

HEAD = Head(b"i" * 16, 7, 0, b"c" * 32)
records = st.builds(
    Record,
    kind=st.sampled_from(BlockKind),
    scope=st.builds(Scope, st.sampled_from(ScopeKind), st.integers(0, 2**32 - 1)),
    at=st.integers(0, 2**40).map(float),
    pseudonym=st.binary(min_size=32, max_size=32),
    layer=st.integers(0, 255),
    actor=st.sampled_from(Actor),
    message=st.integers(0, 2**32 - 1),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(records, max_size=8), st.integers(0, 8))
def test_records_come_back_as_they_were_in_one_piece_or_two(written, cut):
    octets, end = pack(written, HEAD.start)
    first, middle = unpack(octets[: cut * RECORD_SIZE], HEAD.start)
    rest, mark = unpack(octets[cut * RECORD_SIZE :], middle)
    assert first + rest == written
    assert mark == end


@settings(deadline=None, max_examples=60)
@given(st.lists(records, min_size=1, max_size=5), st.integers(0, 10_000))
def test_an_end_cut_anywhere_gives_the_whole_records_before_it(written, cut):
    octets, _ = pack(written, HEAD.start)
    cut %= len(octets)
    found, mark = unpack(octets[:cut], HEAD.start)
    assert found == written[: cut // RECORD_SIZE]
    assert mark.position == len(found)


@settings(deadline=None, max_examples=100)
@given(st.lists(records, min_size=4, max_size=6), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_octet_never_passes_for_a_record(written, place, flip):
    octets, _ = pack(written, HEAD.start)
    place %= len(octets)
    changed = octets[:place] + bytes([octets[place] ^ flip]) + octets[place + 1 :]
    hit, inside = divmod(place, RECORD_SIZE)
    behind = len(written) - 1 - hit - (inside >= RECORD_SIZE - 32)  # a changed digest breaks the next record as well
    if behind > 0:
        with pytest.raises(JournalDamaged):
            unpack(changed, HEAD.start)
    else:
        assert unpack(changed, HEAD.start)[0] == written[:hit]


def test_zeros_behind_the_last_record_are_a_torn_end():
    written = [Record(BlockKind.OPT_OUT, Scope(ScopeKind.MARKETING), 5.0, b"p" * 32, 0, Actor.WEB)]
    octets, end = pack(written, HEAD.start)
    assert unpack(octets + bytes(3 * RECORD_SIZE), HEAD.start) == (written, end)


def test_the_numbers_on_disk_are_frozen():
    record = Record(BlockKind.OBJECTION, Scope(ScopeKind.LIST, 3), 5.0, b"p" * 32, 2, Actor.OPERATOR, 9)
    octets, _ = pack([record], HEAD.start)
    assert octets[:64].hex() == ("00000000000000014014000000000000030302020000000300000009" + "70" * 32 + "00000000")
    assert [a.value for a in Actor] == [1, 2, 3, 4, 5]


def test_a_head_of_something_else_is_refused():
    for octets in (b"", b"SQLite format 3\0" + bytes(48), HEAD.pack()[:-1]):
        with pytest.raises(JournalDamaged):
            Head.unpack(octets)
    assert Head.unpack(HEAD.pack()) == HEAD


def test_a_record_of_a_layer_without_key_is_an_error_not_a_wrong_person():
    record = Record(BlockKind.OPT_OUT, Scope(ScopeKind.MARKETING), 5.0, b"p" * 32, 3, Actor.WEB)
    with pytest.raises(JournalDamaged, match="keys"):
        record.newest(Pseudonyms((b"k" * 32,)))


def test_a_record_out_of_order_does_not_pass():
    record = Record(BlockKind.OPT_OUT, Scope(ScopeKind.MARKETING), 5.0, b"p" * 32, 0, Actor.WEB)
    octets, _ = pack([record], Mark(4, HEAD.start.chain))
    with pytest.raises(JournalDamaged, match="cannot be read"):
        unpack(octets, HEAD.start)
