"""A copy of cases at work, and an older copy that must not send its mail again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cases import backing_up
from gateway.cases.protocol import CasesUnavailable, MailState
from gateway.cases.sealing import CaseKeys
from gateway.cases.sqlite import SQLiteCases
from tests.cases.house import CONTENT, KEYS, PEOPLE, STEP, new, outgoing, store


def reopened(path: Path) -> SQLiteCases:
    return SQLiteCases(path, CaseKeys("school", KEYS), PEOPLE)


async def test_a_copy_made_at_work_opens_with_the_same_keys(tmp_path: Path) -> None:
    cases, copy = store(tmp_path), tmp_path / "copy.sqlite"
    await cases.open(new(), STEP)
    assert backing_up.copy(tmp_path / "cases" / "school.sqlite", copy) == 1
    await cases.open(new(), STEP)
    await cases.close()
    assert copy.stat().st_mode & 0o777 == 0o600
    again = reopened(copy)
    (only,) = await again.cases()
    assert only.content == CONTENT
    await again.close()


async def test_a_closed_case_leaves_nothing_in_a_copy(tmp_path: Path) -> None:
    cases = store(tmp_path)
    entered = await cases.open(new(), STEP, [outgoing()])
    before = backing_up.copy(tmp_path / "cases" / "school.sqlite", tmp_path / "before.sqlite")
    await cases.finish(entered, STEP, None)
    assert (before, backing_up.copy(tmp_path / "cases" / "school.sqlite", tmp_path / "after.sqlite")) == (1, 0)
    await cases.close()
    assert (tmp_path / "after.sqlite").stat().st_size > 0


async def test_mail_that_was_waiting_is_not_sent_again(tmp_path: Path) -> None:
    cases, copy = store(tmp_path), tmp_path / "copy.sqlite"
    await cases.open(new(), STEP, [outgoing()])
    await cases.close()
    backing_up.copy(tmp_path / "cases" / "school.sqlite", copy)
    assert backing_up.stop_mail(copy) == 1
    assert backing_up.stop_mail(copy) == 0
    again = reopened(copy)
    assert [o.state for o in await again.outgoing()] == [MailState.FAILED]
    await again.close()


@pytest.mark.parametrize("octets", [None, b"", b"not a database at all" * 100])
def test_a_file_that_is_no_cases_file_is_not_sound(tmp_path: Path, octets: bytes | None) -> None:
    path = tmp_path / "cases.sqlite"
    if octets is not None:
        path.write_bytes(octets)
    assert not backing_up.sound(path)
    with pytest.raises(CasesUnavailable):
        backing_up.copy(path, tmp_path / "copy.sqlite")


async def test_a_damaged_page_shows(tmp_path: Path) -> None:
    cases = store(tmp_path)
    for _ in range(30):
        await cases.open(new(), STEP)
    await cases.close()
    path = tmp_path / "cases" / "school.sqlite"
    assert backing_up.sound(path)
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 6] = b"\xff" * (4096 * 5)
    path.write_bytes(content)
    assert not backing_up.sound(path)
