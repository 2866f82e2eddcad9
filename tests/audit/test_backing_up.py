"""The audit of a shard in a file of its own: all rows, the same proof, and no mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.audit import backing_up
from gateway.audit.proof import verify
from gateway.audit.protocol import AuditRow, AuditUnavailable
from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter
from gateway.spool.sqlite import SQLiteSpool
from tests.spool.mail import KEYS, SUBJECT, message

ANNA = b"a" * 32


def row(at: float) -> AuditRow:
    return AuditRow(at, "school", "m1", "accepted", ANNA, {"n": at})


async def filled(folder: Path) -> Path:
    spool = SQLiteSpool(folder, 0, KEYS, AuditWriter())
    await spool.put([message()], [row(float(n)) for n in range(20)])
    await spool.close()
    return spool.shard.database


async def test_every_row_comes_along_and_proves_itself(tmp_path: Path) -> None:
    source, target = await filled(tmp_path / "spool"), tmp_path / "copy.sqlite"
    assert backing_up.copy(source, target) == 20
    assert len(AuditReader([target]).by_person(ANNA)) == 20
    assert verify(target).problems == []
    assert target.stat().st_mode & 0o777 == 0o600


async def test_mail_stays_out_of_it(tmp_path: Path) -> None:
    source, target = await filled(tmp_path / "spool"), tmp_path / "copy.sqlite"
    backing_up.copy(source, target)
    assert b"messages" not in target.read_bytes()
    assert SUBJECT.encode() not in target.read_bytes()


async def test_a_spool_takes_it_over_as_its_own(tmp_path: Path) -> None:
    source, target = await filled(tmp_path / "spool"), tmp_path / "new" / "shard-0.sqlite"
    target.parent.mkdir()
    backing_up.copy(source, target)
    spool = SQLiteSpool(target.parent, 0, KEYS, AuditWriter())
    await spool.put([message("m2")], [row(99.0)])
    assert len(await spool.entries()) == 1
    await spool.close()
    assert len(AuditReader([target]).by_person(ANNA)) == 21
    assert verify(target).problems == []


@pytest.mark.parametrize("octets", [None, b"", b"not a database" * 400])
def test_what_is_no_shard_is_not_sound_and_not_copied(tmp_path: Path, octets: bytes | None) -> None:
    path = tmp_path / "shard-0.sqlite"
    if octets is not None:
        path.write_bytes(octets)
    assert not backing_up.sound(path)
    if octets != b"":  # an empty shard is a shard that nothing happened in
        with pytest.raises(AuditUnavailable):
            backing_up.copy(path, tmp_path / "copy.sqlite")
