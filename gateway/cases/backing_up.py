"""A copy of a cases file for a backup, made while others write; and what an older copy needs before it is used again.

what:       one consistent snapshot without free pages; mail that may have left is stopped
takes→gives: paths → a file, counts
knows not:  where backups are kept, keys, what a case says
fails by:   `CasesUnavailable`
standard:   L-06. SQLite "VACUUM INTO": content that was deleted is not carried into a backup
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.cases import schema
from gateway.cases.protocol import CaseState, CasesUnavailable, MailState

_WAITING = (MailState.PREPARED.value, MailState.QUEUED.value)


def copy(source: Path, target: Path) -> int:
    """A copy; gives how many cases in it are not closed. `target` must not be there."""
    with _errors():
        with closing(_connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        target.chmod(0o600)
        _sync(target)
    return open_cases_in(target)


def open_cases_in(path: Path) -> int:
    """How many cases are not closed."""
    with _errors(), closing(_connect(path)) as connection:
        query = "SELECT COUNT(*) FROM cases WHERE state != ?"
        return int(connection.execute(query, (CaseState.CLOSED.value,)).fetchone()[0])


def sound(path: Path) -> bool:
    """Whether the file is there, whole, and a cases file."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        with closing(_connect(path)) as connection:
            open_cases = connection.execute("SELECT COUNT(*) FROM cases").fetchone()
            return open_cases is not None and connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.Error:
        return False


def stop_mail(path: Path) -> int:
    """Mail that was waiting when the copy was made may have left since: it is not sent again. Gives how many."""
    with _errors(), closing(schema.open_file(path)) as connection, schema.transaction(connection):
        done = connection.execute(
            "UPDATE outbox SET state = ?, status = 'restored from a backup: not sent again' WHERE state IN (?, ?)",
            (MailState.FAILED.value, *_WAITING),
        )
        return done.rowcount


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, schema.SchemaTooNew) as error:
        raise CasesUnavailable(f"cases: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10.0)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
