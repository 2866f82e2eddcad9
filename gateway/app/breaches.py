"""Worker 0's watch over the audit: a mail that showed people to each other, and contract or safety mail that is held.

what:       `Watch`: what came into the audit since the last look, and what follows from it
takes→gives: rows `shown`, `delivered`, `held` → an open breach; a log line, a count and a mail for held contract mail
knows not:  why a mail was shown or held
fails by:   nothing in `run`: trouble is said in the log, and the same rows are looked at again
standard:   L-22, L-26, L-37, L-38; GDPR 22, 33; D-01
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.files import end_of
from gateway.audit.protocol import AuditRow, AuditUnavailable
from gateway.audit.reading import AuditReader
from gateway.cases.protocol import CaseStore, CasesUnavailable
from gateway.decision import Stream
from gateway.observe import maillog, metrics
from gateway.rights.breach import CLOSED, OPEN, VISIBLE, Incident, iso
from gateway.spool.protocol import SpoolUnavailable

LOOK = 5.0  # seconds between two looks; a minute is promised
MAIL_EVERY = 50.0  # seconds between two mails to one owner; what comes between is in the next
_KEPT = 40 * 86400.0  # how long a mail that was not delivered, and one that was told of, is remembered
CONTRACT = frozenset({Stream.PARTICIPATION.value, Stream.INFORMATIONAL.value, Stream.WEBSHOP.value})
"""Streams that somebody's contract or safety depends on."""

Tell = Callable[[str, str, Sequence[str]], Awaitable[None]]


@dataclass(slots=True)
class Memory:
    """How far each shard was read; mails that show people and have not been delivered yet; mails told of; by time."""

    positions: dict[str, int] = field(default_factory=dict)
    shown: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    waiting: dict[str, dict[str, str]] = field(default_factory=dict)
    mailed: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Memory:
        try:
            found = json.loads(path.read_text("utf-8"))
            return cls(found["positions"], found["shown"], found["told"], found["waiting"], found["mailed"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises `OSError`."""
        fresh = path.with_suffix(".new")
        names = ("positions", "shown", "told", "waiting", "mailed")
        fresh.write_text(json.dumps({name: getattr(self, name) for name in names}) + "\n", "utf-8")
        fresh.replace(path)

    def forget(self, now: float) -> None:
        for times in (self.shown, self.told):
            for message in [m for m, at in times.items() if now - at > _KEPT]:
                del times[message]


class Watch:
    """`cases` by organisation; `tell(organisation, subject, lines)` mails the owner of held mail."""

    def __init__(self, cases: Mapping[str, CaseStore], state: Path, tell: Tell) -> None:
        self._cases, self._path, self._tell = cases, state / "breach-watch.json", tell
        self._memory = Memory.read(self._path)

    async def look(self, shards: Sequence[Path], now: float) -> None:
        """What is new, once. Raises `AuditUnavailable`, `CasesUnavailable`, `SpoolUnavailable`, `OSError`."""
        memory, reader = self._memory, AuditReader(shards)
        for shard in shards:
            await self._news(reader, shard)
        for message in list(memory.shown):
            rows = await asyncio.to_thread(reader.by_message, message)
            if any(row.what == "delivered" for row in rows):
                await self._open(message, rows, now)
                del memory.shown[message]
        await self._mail(now)
        memory.forget(now)
        await asyncio.to_thread(memory.write, self._path)

    async def measure(self, now: float) -> None:
        """Open breaches and the hours left. Raises `CasesUnavailable`."""
        for name, store in self._cases.items():
            found = [Incident.from_json(b.detail) for b in await store.breach_list() if b.state != CLOSED]
            metrics.BREACH_OPEN.labels(name).set(len(found))
            left = [i.hours_left(now) for i in found if not i.settled]
            metrics.BREACH_HOURS_LEFT.labels(name).set(min(left, default=72.0))

    async def _news(self, reader: AuditReader, shard: Path) -> None:
        memory = self._memory
        after, (until, _) = memory.positions.get(shard.stem, 0), await asyncio.to_thread(end_of, shard)
        if until < after:
            after = 0  # another file than the one read so far
        for row in await asyncio.to_thread(reader.between, shard, after, until, "shown"):
            memory.shown.setdefault(row.message, row.at)
        for row in await asyncio.to_thread(reader.between, shard, after, until, "held"):
            self._held(row)
        memory.positions[shard.stem] = until

    def _held(self, row: AuditRow) -> None:
        stream = str(row.detail.get("stream", ""))
        if stream not in CONTRACT or row.message in self._memory.told:
            return
        # An intake row names the rule, or the filter that stopped the mail, by what decided; delivery's its reason.
        why = str(row.detail.get("stopped") or row.detail.get("reason") or row.detail.get("rule", ""))
        self._memory.told[row.message] = row.at
        self._memory.waiting.setdefault(row.organisation, {})[row.message] = f"{stream}: {why}"
        metrics.HOLD_ALERTS.labels(row.organisation, stream).inc()
        maillog.hold_alert(row.message, row.organisation, stream, why)

    async def _mail(self, now: float) -> None:
        memory = self._memory
        for organisation, waiting in list(memory.waiting.items()):
            if not waiting or 0 <= now - memory.mailed.get(organisation, float("-inf")) < MAIL_EVERY:
                continue
            if organisation in self._cases:
                subject = f"Vastgehouden: mail waar iemand op rekent / Held: mail somebody counts on ({len(waiting)})"
                await self._tell(organisation, subject, _letter(waiting))
            memory.mailed[organisation] = now
            memory.waiting[organisation] = {}

    async def _open(self, message: str, rows: Sequence[AuditRow], now: float) -> None:
        shown = [row for row in rows if row.what == "shown"]
        store = self._cases.get(shown[0].organisation) if shown else None
        if store is None:
            return  # erased meanwhile, or of an organisation that is no longer here
        if any(message in Incident.from_json(b.detail).messages for b in await store.breach_list()):
            return  # a crash came between opening it and remembering that
        name, incident = shown[0].organisation, _incident(message, shown, rows, now)
        number = await store.breach_add(now, OPEN, incident.to_json())
        maillog.breach_opened(name, number, message, incident.people)
        lines = [*_breach_letter(number, incident), "", f"briefgeheim breach show {number} --organisation {name}"]
        await self._tell(name, f"Datalek {number} / Breach {number}: 72 uur / 72 hours", lines)


async def run(watch: Watch, shards: Callable[[], Sequence[Path]], clock: Callable[[], float]) -> None:
    """Look until cancelled."""
    while True:
        try:
            await watch.look(shards(), clock())
            await watch.measure(clock())
        except (AuditUnavailable, CasesUnavailable, SpoolUnavailable, OSError, ValueError) as error:
            maillog.trouble("breach watch", type(error).__name__)
        await asyncio.sleep(LOOK)


def _incident(message: str, shown: Sequence[AuditRow], rows: Sequence[AuditRow], now: float) -> Incident:
    people = {row.pseudonym for row in shown}
    reached = {row.pseudonym for row in rows if row.what == "delivered"}
    released = any(row.what == "released" and "operator" in row.detail for row in rows)
    detail, copies = shown[0].detail, f"{len(people)} addresses visible, {len(reached)} copies delivered"
    why = "released by an operator after the leak check had held it" if released else "sent with visible recipients"
    return Incident(
        discovered=iso(now),
        kind=VISIBLE,
        people=len(people),
        categories=("mail address", f"that the person gets {detail.get('stream', 'mail')} mail of this sender"),
        sensitivity="special" if detail.get("sensitive") else "unknown",
        cause=f"client {detail.get('client', '')}: {why}; {copies}",
        messages=(message,),
        found_by="gateway",
    )


def _letter(waiting: Mapping[str, str]) -> list[str]:
    return [
        "Deze mail over een contract of over plaats en tijd wordt vastgehouden. Kijk er nu naar.",
        "This mail about a contract, or a place and time, is held. Please look at it now.",
        "",
        *(f"{message}  {why}" for message, why in waiting.items()),
        "",
        "briefgeheim queue show MESSAGE",
    ]


def _breach_letter(number: int, incident: Incident) -> list[str]:
    return [
        f"Datalek {number}: een mail liet {incident.people} mensen elkaars adres zien. Binnen 72 uur melden, of zeggen",
        "waarom niet (AVG 33).",
        f"Breach {number}: a mail showed {incident.people} people to each other. Report it within 72 hours, or say why",
        "not (GDPR 33).",
        "",
        incident.cause,
    ]
