"""Every kind of tampering, at the start, in the middle and at the end; and that erasing is none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit.checkpoints import AuditKeys, Checkpoints, read
from gateway.audit.proof import Proof, verify
from gateway.audit.retention import erase_rows
from gateway.audit.sqlite import SALT, START, commitment, erase_before, erase_person, link
from tests.audit.shards import ANNA, BERT, Shard, row

KEYS = AuditKeys({1: b"s" * 32})
PLACES = {"start": 1, "middle": 4, "end": 8}
_COLUMNS = "at, message, pseudonym, salt, payload, commitment, chain"


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    """Eight rows, with checkpoints at the fifth and at the eighth."""
    made = eight(tmp_path)
    yield made
    made.close()


def eight(folder: Path) -> Shard:
    made = Shard(folder)
    made.write(*(row(at, f"m{at}", BERT if at == 3 else ANNA) for at in range(1, 6)))
    sign(made, 5.0)
    made.write(*(row(at, f"m{at}") for at in range(6, 9)))
    sign(made, 8.0)
    return made


def sign(shard: Shard, at: float) -> None:
    Checkpoints.beside(shard.path).append(KEYS, *shard.end, at)


def proof(shard: Shard, **options: object) -> Proof:
    return verify(shard.path, KEYS.public, **options)  # type: ignore[arg-type]


def told(shard: Shard, **options: object) -> list[str]:
    return [p.what for p in proof(shard, **options).problems]


def test_l07_a_shard_that_nobody_touched_is_whole(shard: Shard) -> None:
    found = proof(shard)
    assert found.whole
    assert (found.first, found.last, found.rows, found.erased) == (1, 8, 8, 0)
    assert (found.checkpoints, found.signed, found.signed_at) == (2, 8, 8.0)


def test_without_a_database_or_a_table_there_is_nothing_to_prove(tmp_path: Path) -> None:
    assert verify(tmp_path / "absent.sqlite", KEYS.public).whole
    assert not (tmp_path / "absent.sqlite").exists()
    sqlite3.connect(tmp_path / "other.sqlite").close()
    assert verify(tmp_path / "other.sqlite", KEYS.public).whole


@pytest.mark.parametrize("number", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "change",
    [
        "payload = replace(payload, 'delivered', 'refused')",
        "payload = NULL",
        "salt = NULL",
        "salt = zeroblob(16)",
        "at = 99",
        "message = 'other'",
        "pseudonym = x'00'",
        "pseudonym = NULL",
        "commitment = zeroblob(32)",
        "chain = zeroblob(32)",
        "chain = 'text'",
        "payload = NULL, salt = NULL",
    ],
)
def test_l07_a_changed_row_is_found(shard: Shard, number: int, change: str) -> None:
    shard.connection.execute(f"UPDATE audit SET {change} WHERE number = {number}")
    assert number in {p.row for p in proof(shard).problems}


@pytest.mark.parametrize("number", PLACES.values(), ids=PLACES)
def test_l07_a_removed_row_is_found(shard: Shard, number: int) -> None:
    shard.connection.execute("DELETE FROM audit WHERE number = ?", (number,))
    words = "cut off at the end" if number == 8 else "missing"
    assert any(words in what for what in told(shard))


@pytest.mark.parametrize("number", PLACES.values(), ids=PLACES)
def test_l07_a_row_that_was_removed_with_the_gap_closed_is_found(shard: Shard, number: int) -> None:
    shard.connection.execute("DELETE FROM audit WHERE number = ?", (number,))
    for later in range(number + 1, 9):
        shard.connection.execute("UPDATE audit SET number = ? WHERE number = ?", (later - 1, later))
    rechain(shard)
    assert not proof(shard).whole


@pytest.mark.parametrize("number", PLACES.values(), ids=PLACES)
def test_l07_two_rows_that_changed_places_are_found(shard: Shard, number: int) -> None:
    other = number - 1 if number == 8 else number + 1
    swap(shard, number, other)
    assert {number, other} & {p.row for p in proof(shard).problems}


@pytest.mark.parametrize("number", PLACES.values(), ids=PLACES)
def test_l07_an_inserted_row_is_found(shard: Shard, number: int) -> None:
    for later in range(8, number - 1, -1):
        shard.connection.execute("UPDATE audit SET number = ? WHERE number = ?", (later + 1, later))
    insert = f"INSERT INTO audit (number, {_COLUMNS}) SELECT ?, {_COLUMNS} FROM audit WHERE number = ?"
    shard.connection.execute(insert, (number, (number + 3) % 9 + 1))
    assert number in {p.row for p in proof(shard).problems}
    rechain(shard)
    assert not proof(shard).whole, "also when the chain was made anew"


@pytest.mark.parametrize("number", [0, -5])
def test_l07_a_row_in_front_of_the_first_is_found(shard: Shard, number: int) -> None:
    shard.connection.execute(
        f"INSERT INTO audit (number, {_COLUMNS}) SELECT ?, {_COLUMNS} FROM audit WHERE number = 1", (number,)
    )
    assert "stands before the first row" in told(shard)


@pytest.mark.parametrize("kept", [0, 1, 5, 7])
def test_l07_rows_cut_off_at_the_end_are_found(shard: Shard, kept: int) -> None:
    shard.connection.execute("DELETE FROM audit WHERE number > ?", (kept,))
    assert f"rows {kept + 1} to 8 are cut off at the end" in told(shard)
    assert verify(shard.path).whole, "only the checkpoint shows it"


def test_l07_rows_cut_off_and_written_anew_are_found(shard: Shard) -> None:
    shard.connection.execute("DELETE FROM audit WHERE number > 6")
    shard.write(row(7, "other"), row(8, "other"), row(9))
    assert verify(shard.path).whole
    assert "this row or one before it is not what was signed in a checkpoint" in told(shard)


@pytest.mark.parametrize("number", PLACES.values(), ids=PLACES)
def test_l07_a_row_rewritten_with_the_whole_chain_behind_it_is_found(shard: Shard, number: int) -> None:
    rewrite(shard, number)
    assert verify(shard.path).whole, "the chain alone cannot show it"
    assert not proof(shard).whole


def test_l07_a_file_that_is_gone_is_found_by_its_checkpoints(shard: Shard) -> None:
    shard.close()
    shard.path.unlink()
    assert told(shard) == ["rows 1 to 8 are cut off at the end"]


def test_l07_rows_and_checkpoints_cut_off_together_are_found_by_a_copy_kept_elsewhere(shard: Shard) -> None:
    file = Checkpoints.beside(shard.path)
    copy = read(file.lines())
    file.path.write_text(file.lines()[0] + "\n")
    shard.connection.execute("DELETE FROM audit WHERE number > 5")
    assert proof(shard).whole
    assert told(shard, elsewhere=copy) == ["rows 6 to 8 are cut off at the end"]
    forged = AuditKeys({1: b"f" * 32}).sign("shard-0", 9, bytes(32), 9.0, bytes(32))
    assert told(shard, elsewhere=[forged]) == ["a checkpoint kept elsewhere is not signed by a key of this gateway"]
    assert proof(shard, elsewhere=[KEYS.sign("shard-7", 9, bytes(32), 9.0, bytes(32))]).whole, "of another shard"


@pytest.mark.parametrize("line", [0, 1])
def test_l07_a_changed_checkpoint_is_found(shard: Shard, line: int) -> None:
    file = Checkpoints.beside(shard.path)
    lines = file.lines()
    lines[line] = lines[line].replace('"number": ', '"number": 1')
    file.path.write_text("".join(f"{text}\n" for text in lines))
    assert f"checkpoint line {line + 1} is not signed by a key of this gateway" in told(shard)


def test_l07_a_checkpoint_taken_out_of_the_middle_is_found(shard: Shard) -> None:
    shard.write(row(9))
    sign(shard, 9.0)
    file = Checkpoints.beside(shard.path)
    file.path.write_text("".join(f"{file.lines()[i]}\n" for i in (0, 2)))
    assert told(shard) == ["checkpoint line 2 does not fit the one before: lines were taken out"]
    file.path.write_text("nothing\n")
    assert told(shard) == ["checkpoint line 1 cannot be read"]


def test_checkpoints_of_another_shard_do_not_count(tmp_path: Path) -> None:
    one, two = eight(tmp_path), Shard(tmp_path, 1)
    Checkpoints.beside(two.path).path.write_bytes(Checkpoints.beside(one.path).path.read_bytes())
    assert not proof(two).whole
    one.close()
    two.close()


def test_l07_s56_erasing_a_person_and_purging_leave_a_true_proof(shard: Shard) -> None:
    erase_person(shard.connection, BERT)
    assert (proof(shard).whole, proof(shard).erased) == (True, 1)
    erase_before(shard.connection, 3)
    erase_rows(shard.connection, [8])
    assert (proof(shard).whole, proof(shard).erased) == (True, 4)
    shard.write(row(9))
    sign(shard, 9.0)
    assert proof(shard).whole


def test_an_erased_row_is_still_held_to_its_place(shard: Shard) -> None:
    erase_rows(shard.connection, [4])
    shard.connection.execute("DELETE FROM audit WHERE number = 4")
    assert "rows 4 to 4 are missing" in told(shard)


def test_since_begins_behind_the_checkpoint_before(shard: Shard) -> None:
    found = proof(shard, since=6.0)
    assert (found.whole, found.first, found.rows) == (True, 6, 3)
    shard.connection.execute("UPDATE audit SET at = 0 WHERE number IN (2, 7)")
    assert {p.row for p in proof(shard, since=6.0).problems} == {7}
    assert proof(shard, since=0.5).first == 1, "no checkpoint is as old: from the start"


def test_a_crash_between_commit_and_checkpoint_leaves_rows_without_one_and_no_problem(shard: Shard) -> None:
    shard.write(row(9), row(10))
    found = proof(shard)
    assert (found.whole, found.last, found.signed) == (True, 10, 8)


def test_progress_is_told_in_steps(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.audit.proof._STEP", 3)
    said: list[int] = []
    proof(shard, progress=said.append)
    assert said == [3, 6]


def test_all_problems_are_counted_and_the_first_are_kept(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.audit.proof._KEPT", 2)
    shard.connection.execute("UPDATE audit SET at = 0")
    found = proof(shard)
    assert (len(found.problems), found.found) == (2, 8)


def swap(shard: Shard, one: int, other: int) -> None:
    for old, new in ((one, 1000), (other, one), (1000, other)):
        shard.connection.execute("UPDATE audit SET number = ? WHERE number = ?", (new, old))


def rechain(shard: Shard) -> None:
    """As somebody would who can write the file and has read this program."""
    chain = START
    for number, committed in shard.connection.execute(
        "SELECT number, commitment FROM audit ORDER BY number"
    ).fetchall():
        chain = link(chain, committed)
        shard.connection.execute("UPDATE audit SET chain = ? WHERE number = ?", (chain, number))


def rewrite(shard: Shard, number: int) -> None:
    (text,) = shard.connection.execute("SELECT payload FROM audit WHERE number = ?", (number,)).fetchone()
    forged, salt = text.replace("delivered", "refused"), bytes(SALT)
    shard.connection.execute(
        "UPDATE audit SET payload = ?, salt = ?, commitment = ? WHERE number = ?",
        (forged, salt, commitment(salt, forged), number),
    )
    rechain(shard)


_NUMBER = st.integers(1, 8)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    kind=st.sampled_from(["change", "remove", "swap", "rewrite", "cut", "double"]),
    number=_NUMBER,
    other=_NUMBER,
    column=st.sampled_from(["at", "message", "pseudonym", "salt", "payload", "commitment", "chain"]),
    value=st.one_of(st.none(), st.integers(-(2**40), 2**40), st.text(max_size=40), st.binary(max_size=40)),
)
def test_l07_no_tampering_goes_unseen(
    tmp_path_factory: pytest.TempPathFactory, kind: str, number: int, other: int, column: str, value: object
) -> None:
    shard = eight(tmp_path_factory.mktemp("tampered"))
    before = shard.connection.execute("SELECT * FROM audit ORDER BY number").fetchall()
    try:
        tamper(shard, kind, number, other, column, value)
        changed = shard.connection.execute("SELECT * FROM audit ORDER BY number").fetchall() != before
        assert proof(shard).whole is not changed
    finally:
        shard.close()


def tamper(shard: Shard, kind: str, number: int, other: int, column: str, value: object) -> None:
    match kind:
        case "change":
            try:
                shard.connection.execute(f"UPDATE audit SET {column} = ? WHERE number = ?", (value, number))
            except (sqlite3.IntegrityError, sqlite3.DataError):
                pass
        case "remove":
            shard.connection.execute("DELETE FROM audit WHERE number = ?", (number,))
        case "swap":
            swap(shard, number, other)
        case "rewrite":
            rewrite(shard, number)
        case "cut":
            shard.connection.execute("DELETE FROM audit WHERE number >= ?", (number,))
        case "double":
            shard.connection.execute(
                f"INSERT INTO audit (number, {_COLUMNS}) SELECT 9, {_COLUMNS} FROM audit WHERE number = ?", (number,)
            )
