"""The block journal on a real disk: durable, shared by processes, cut only where nothing was acknowledged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.facts import BlockKind
from gateway.registry.journal import Journal
from gateway.registry.record import HEAD_SIZE, RECORD_SIZE, Actor, JournalDamaged, Record
from gateway.token import OptOut
from tests.registry.conftest import LIST, MARKETING


def block(number: int = 1) -> Record:
    return Record(BlockKind.OPT_OUT, LIST, float(number), bytes([number % 256]) * 32, 0, Actor.WEB, number)


@pytest.fixture
def journal(tmp_path):
    made = Journal.create(tmp_path / "j" / "a.journal", organisation=7)
    yield made
    made.close()


def reopened(journal: Journal) -> Journal:
    return Journal.open(journal.path)


def everything(journal: Journal) -> list[Record]:
    other = Journal.open(journal.path, write=False)
    try:
        return other.since(other.head.start)
    finally:
        other.close()


def test_what_was_appended_is_there_for_another_reader(journal):
    assert journal.append([block(1), block(2)]).position == 2
    journal.append([block(3)])
    assert everything(journal) == [block(1), block(2), block(3)]


def test_creating_never_replaces(journal):
    journal.append([block()])
    with pytest.raises(FileExistsError):
        Journal.create(journal.path, organisation=7)
    assert everything(journal) == [block()]


def test_a_torn_end_is_cut_at_the_next_append_and_counted(journal):
    journal.append([block(1)])
    with journal.path.open("ab") as file:
        file.write(b"half a record")
    assert everything(journal) == [block(1)]
    other = reopened(journal)
    other.append([block(2)])
    assert other.torn == 1
    other.close()
    assert everything(journal) == [block(1), block(2)]
    assert journal.path.stat().st_size == HEAD_SIZE + 2 * RECORD_SIZE


def test_a_changed_record_with_others_behind_it_is_an_error_and_is_not_cut(journal):
    journal.append([block(n) for n in range(1, 5)])
    size = journal.path.stat().st_size
    with journal.path.open("r+b") as file:
        file.seek(HEAD_SIZE + 20)
        file.write(b"\x05")
    other = reopened(journal)
    with pytest.raises(JournalDamaged):
        other.verify()
    with pytest.raises(JournalDamaged):
        other.append([block(9)])
    other.close()
    assert journal.path.stat().st_size == size


def test_a_journal_swapped_or_deleted_while_open_is_noticed(journal):
    journal.append([block()])
    aside = journal.path.with_suffix(".old")
    journal.path.rename(aside)
    with pytest.raises(JournalDamaged):
        journal.append([block(2)])
    Journal.create(journal.path, organisation=7).close()
    with pytest.raises(JournalDamaged):
        journal.append([block(2)])


def test_a_journal_cut_short_while_open_is_noticed(journal):
    journal.append([block(1), block(2)])
    os.truncate(journal.path, HEAD_SIZE + RECORD_SIZE)
    with pytest.raises(JournalDamaged):
        journal.has_grown()
    with pytest.raises(JournalDamaged):
        journal.append([block(3)])


def test_a_mark_of_another_history_is_refused(journal, tmp_path):
    other = Journal.create(tmp_path / "other.journal", organisation=7)
    mark = other.append([block(1)])
    journal.append([block(1)])
    with pytest.raises(JournalDamaged):
        journal.check(mark)
    with pytest.raises(JournalDamaged):
        journal.check(other.append([block(2)]))
    other.close()


def test_the_web_journal_of_another_organisation_is_refused(journal):
    Journal.ensure(journal.path, organisation=7).close()
    with pytest.raises(JournalDamaged):
        Journal.ensure(journal.path, organisation=8)


def test_opt_outs_get_a_receipt_each_and_are_stored_as_they_were_linked(journal):
    opt_outs = [OptOut(7, b"p" * 32, 0, MARKETING, 1, 77), OptOut(7, b"q" * 32, 0, LIST, 1, 78)]
    receipts = journal.append_opt_outs(opt_outs, 1234)
    assert len(set(receipts)) == 2
    stored = everything(journal)
    assert [(r.pseudonym, r.scope, r.at, r.message, r.actor) for r in stored] == [
        (b"p" * 32, MARKETING, 1234.0, 77, Actor.WEB),
        (b"q" * 32, LIST, 1234.0, 78, Actor.WEB),
    ]


def test_a_damaged_journal_is_an_os_error_to_the_web_process(journal):
    journal.path.unlink()
    with pytest.raises(OSError):
        journal.append_opt_outs([OptOut(7, b"p" * 32, 0, MARKETING, 1, 77)], 1)


def test_a_full_disk_leaves_nothing_half_written_for_readers(journal, monkeypatch):
    journal.append([block(1)])
    real = os.write

    def short(descriptor, octets):
        real(descriptor, bytes(octets)[:50])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match="space"):
        journal.append([block(2)])
    monkeypatch.undo()
    assert everything(journal) == [block(1)]
    journal.append([block(3)])
    assert everything(journal) == [block(1), block(3)]


def test_after_a_failed_fsync_nothing_more_is_promised(journal, monkeypatch):
    def failing(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError):
        journal.append([block(1)])
    monkeypatch.undo()
    with pytest.raises(OSError, match="restart"):
        journal.append([block(2)])


APPENDER = """
import sys
from pathlib import Path
from gateway.facts import BlockKind, Scope, ScopeKind
from gateway.registry.journal import Journal
from gateway.registry.record import Actor, Record
journal = Journal.open(Path(sys.argv[1]))
mine = int(sys.argv[2])
sys.stdin.readline()  # both start together
for number in range(200):
    journal.append([Record(BlockKind.OPT_OUT, Scope(ScopeKind.LIST, number), 1.0, bytes([mine]) * 32, 0, Actor.WEB)])
"""


def test_two_processes_append_without_losing_or_mixing_records(journal):
    commands = [[sys.executable, "-c", APPENDER, str(journal.path), str(n)] for n in (1, 2)]
    root = Path(__file__).parents[2]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=root) for command in commands]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.close()
    assert [writer.wait(180) for writer in writers] == [0, 0]
    found = everything(journal)
    for mine in (1, 2):
        assert [r.scope.id for r in found if r.pseudonym[0] == mine] == list(range(200))
