"""The cases of one organisation in one SQLite file, shared by the command line and a mail worker.

what:       the `CaseStore` of `protocol.py`: every step one commit, every ended case gone from the raw file
takes→gives: as the protocol says; work is done in one thread beside the loop
knows not:  what a right means, how mail is written or sent
fails by:   `CasesUnavailable`, `NoSuchCase`, `CaseChanged`
standard:   DESIGN §4 Outbox; S-31, S-35; I-7, I-12
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

from gateway.address import Address, InvalidAddress
from gateway.cases import ending, intake, retention, rows, schema
from gateway.cases.protocol import (
    NO_CHANGE,
    Breach,
    Case,
    CaseState,
    CasesUnavailable,
    Change,
    Content,
    MailState,
    NewCase,
    NewOutgoing,
    NoSuchCase,
    Outgoing,
    Paper,
    Registered,
    Step,
)
from gateway.cases.sealing import CaseKeys, SealBroken
from gateway.pseudonym import Pseudonyms

_T = TypeVar("_T")


def open_cases(state: Path, organisation: str, keys: Mapping[int, bytes], pseudonyms: Pseudonyms) -> SQLiteCases:
    """The cases of `organisation` below the state folder; the file is made when it is first needed.

    `keys`: 32 octets each by id; the highest seals, all open. Raises `ValueError` for keys of another size.
    """
    return SQLiteCases(state / "cases" / f"{organisation}.sqlite", CaseKeys(organisation, keys), pseudonyms)


class SQLiteCases:
    """One process's view of the file. A failed call changed nothing.

    No pseudonym is stored: it is made anew from the sealed address, so that a rotation of keys leaves none behind.
    """

    def __init__(self, path: Path, keys: CaseKeys, pseudonyms: Pseudonyms) -> None:
        self._path = path
        self._keys = keys
        self._pseudonyms = pseudonyms
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cases")
        self._open: sqlite3.Connection | None = None
        self._unwiped = True  # another process may have ended before it emptied the log

    async def open(self, new: NewCase, step: Step, outgoing: Sequence[NewOutgoing] = ()) -> Case:
        return await self._write(lambda db: self._read(db, intake.enter(db, self._keys, new, step, outgoing)))

    async def case(self, number: int) -> Case:
        return await self._beside(lambda db: self._read(db, number))

    async def cases(self, *, closed: bool = False) -> list[Case]:
        which = "= ? ORDER BY number DESC" if closed else "!= ? ORDER BY due, number"

        def work(db: sqlite3.Connection) -> list[Case]:
            found = db.execute(f"SELECT * FROM cases WHERE state {which}", (CaseState.CLOSED.value,)).fetchall()
            return [self._whole(row) for row in found]

        return await self._beside(work)

    async def step(
        self,
        case: Case,
        step: Step,
        change: Change = NO_CHANGE,
        outgoing: Sequence[NewOutgoing] = (),
        papers: Sequence[Paper] | None = None,
        *,
        release: bool = False,
    ) -> Case:
        def work(db: sqlite3.Connection) -> Case:
            seal = intake.advance(db, self._keys, case, change)
            intake.note(db, seal, case.number, step)
            intake.post(db, self._keys, case.number, outgoing, step.at, anonymous=intake.anonymous(case.kind))
            if papers is not None:
                intake.file(db, seal, case.number, papers)
            if release:
                intake.release(db, case.number)
            return self._read(db, case.number)

        return await self._write(work)

    async def finish(self, case: Case, step: Step, row: Registered | None) -> None:
        await self._write(lambda db: ending.finish(db, case, step, row))
        await self._beside(self._wipe)

    async def steps(self, number: int) -> list[Step]:
        def work(db: sqlite3.Connection) -> list[Step]:
            found = _case_row(db, number)
            seal = rows.seal_of(self._keys, rows.case_owner(number), found) if found["sealed"] else None
            return intake.steps(db, seal, number)

        return await self._beside(work)

    async def papers(self, number: int) -> list[Paper]:
        def work(db: sqlite3.Connection) -> list[Paper]:
            found = _case_row(db, number)
            if not found["sealed"]:
                return []
            return intake.papers(db, rows.seal_of(self._keys, rows.case_owner(number), found), number)

        return await self._beside(work)

    async def post(self, outgoing: NewOutgoing, at: float) -> None:
        await self._write(lambda db: intake.post(db, self._keys, 0, [outgoing], at, anonymous=False))

    async def outgoing(self, case: int | None = None, *states: MailState) -> list[Outgoing]:
        places = ", ".join("?" * len(states)) or "state"
        query = f"SELECT * FROM outbox WHERE (? IS NULL OR number = ?) AND state IN ({places}) ORDER BY n"
        values = (case, case, *(state.value for state in states))
        return await self._beside(lambda db: [rows.outgoing_of(row) for row in db.execute(query, values)])

    async def mail(self, id: str) -> NewOutgoing:
        def work(db: sqlite3.Connection) -> NewOutgoing:
            found = db.execute("SELECT * FROM outbox WHERE id = ?", (id,)).fetchone()
            if found is None:
                raise NoSuchCase(f"no mail {id} in the outbox")
            return rows.open_mail(rows.seal_of(self._keys, rows.mail_owner(id), found), found)

        return await self._beside(work)

    async def moved(self, id: str, at: float) -> None:
        query = "UPDATE outbox SET state = ?, moved = ? WHERE id = ? AND state = ?"
        values = (MailState.MOVED.value, at, id, MailState.QUEUED.value)
        await self._write(lambda db: db.execute(query, values))

    async def settled(self, id: str, state: MailState, status: str, at: float) -> None:
        await self._write(lambda db: ending.settle(db, id, state, status, at))

    async def register(self) -> list[Registered]:
        query = "SELECT * FROM register ORDER BY quarter, kind, number, outcome, days"
        return await self._beside(lambda db: [rows.registered_of(row) for row in db.execute(query)])

    async def breach_add(self, at: float, state: str, detail: Mapping[str, object]) -> int:
        return await self._write(lambda db: intake.breach(db, self._keys, at, state, detail))

    async def breach_list(self) -> list[Breach]:
        def work(db: sqlite3.Connection) -> list[Breach]:
            found = db.execute("SELECT * FROM breaches ORDER BY number").fetchall()
            return [rows.breach_of(r, rows.seal_of(self._keys, rows.breach_owner(r["number"]), r)) for r in found]

        return await self._beside(work)

    async def breach_update(self, number: int, state: str, detail: Mapping[str, object]) -> None:
        await self._write(lambda db: intake.breach_again(db, self._keys, number, state, detail))

    async def purge(self, requests: date, breaches: float) -> tuple[int, int]:
        done = await self._write(
            lambda db: (retention.purge_register(db, requests), retention.purge_breaches(db, self._keys, breaches))
        )
        await self._beside(self._wipe)
        return done

    def use_keys(self, keys: Mapping[int, bytes], pseudonyms: Pseudonyms) -> None:
        """Work with these keys, the old ones and a new one, from the next call on."""
        self._keys, self._pseudonyms = CaseKeys(self._keys.organisation, keys), pseudonyms

    async def rewrap(self) -> int:
        """Bring every data key under the newest key of the organisation (rotation). Gives how many were older."""
        count = await self._write(lambda db: ending.rewrap(db, self._keys))
        await self._beside(self._wipe)
        return count

    async def close(self) -> None:
        await asyncio.to_thread(self._hand.shutdown)
        if self._open is not None:
            self._open.close()
            self._open = None

    def _read(self, db: sqlite3.Connection, number: int) -> Case:
        return self._whole(_case_row(db, number))

    def _whole(self, row: sqlite3.Row) -> Case:
        if row["sealed"] is None:
            return rows.case_of(row, Content(), None)
        seal = rows.seal_of(self._keys, rows.case_owner(row["number"]), row)
        content = rows.open_content(seal, row["sealed"])
        person = self._pseudonyms.person(Address.parse(content.address)) if content.address else None
        return rows.case_of(row, content, person)

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = schema.open_file(self._path)
            self._open.row_factory = sqlite3.Row
        return self._open

    def _wipe(self, db: sqlite3.Connection) -> None:
        self._unwiped = not schema.wipe_log(db)
        if self._unwiped:
            raise CasesUnavailable(
                "the step is stored, but the file's log could not be emptied: another process kept it busy"
            )

    async def _write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        def whole(db: sqlite3.Connection) -> _T:
            if self._unwiped:  # what an interrupted ending left in the log goes before anything else happens
                self._unwiped = not schema.wipe_log(db)
            with schema.transaction(db):
                return work(db)

        return await self._beside(whole)

    async def _beside(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        def run() -> _T:
            with self._errors():
                return work(self._connection())

        return await asyncio.get_running_loop().run_in_executor(self._hand, run)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, schema.SchemaTooNew, SealBroken, InvalidAddress) as error:
            raise CasesUnavailable(f"{self._path}: {error}") from error


def _case_row(db: sqlite3.Connection, number: int) -> sqlite3.Row:
    found: sqlite3.Row | None = db.execute("SELECT * FROM cases WHERE number = ?", (number,)).fetchone()
    if found is None:
        raise NoSuchCase(f"no case {number} here; a closed erasure leaves no number behind")
    return found
