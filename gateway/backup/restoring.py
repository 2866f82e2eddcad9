"""Putting a backup back without forgetting what happened after it.

what:       sets aside what is there, puts registries back, replays the newer journals, erases again who was erased
takes→gives: `Ready`, operator and reason → what was done and what an operator must look at
knows not:  settings as files, processes, SQL
fails by:   `RegistryUnavailable`, `CasesUnavailable`, `OSError`: the same command then starts anew
standard:   I-10, I-13; L-06; GDPR 17; docs/backup.md

Every step may be done twice. From the first change to the last the folder `STATE/restoring` is there, and `serve` does
not start while it is: what a restore left half done is no gateway.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit import backing_up as audit
from gateway.backup import files, people
from gateway.backup.checking import Part, Ready, clear
from gateway.cases import backing_up as cases
from gateway.config.credentials import Credentials
from gateway.config.ids import FILE as IDS
from gateway.config.load import Loaded
from gateway.registry import adopting
from gateway.registry import backing_up as registries
from gateway.registry.faults import as_registry_errors
from gateway.registry.opening import Owner
from gateway.registry.places import Places, places
from gateway.registry.protocol import Act, RegistryUnavailable
from gateway.registry.record import Record

_STAGING = ".restoring"
_NOTES = "notes"
_SUFFIXES = ("", "-wal", "-shm", "-journal")


@dataclass(slots=True)
class Report:
    """`done`: what was done; `look`: what an operator must look at, also of an earlier run that was cut off."""

    done: list[str] = field(default_factory=list)
    look: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Restorer:
    """One restore. `act` says who does it and why."""

    ready: Ready
    loaded: Loaded
    credentials: Credentials
    act: Act
    report: Report

    def run(self) -> None:
        """All of it. The gateway is not running, and the caller keeps it from starting."""
        self._begin()
        for part in self.ready.parts:
            self._people(part)
        self._audit()
        self._ids()
        clear(self._marker)
        files.sync(self._state)
        self._last_words()

    @property
    def _state(self) -> Path:
        return self.loaded.gateway.state

    @property
    def _marker(self) -> Path:
        return self._state / files.UNDER_WAY

    @property
    def _then(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.ready.manifest.at))

    def _begin(self) -> None:
        """From here on `serve` does not start. What an earlier run found is still to be looked at."""
        self._marker.mkdir(mode=0o700, exist_ok=True)
        notes = self._marker / _NOTES
        if notes.exists():
            self.report.look += notes.read_text("utf-8").splitlines()
        files.sync(self._state)

    def _look_at(self, line: str) -> None:
        """Kept before the change is made that would hide it from a second run."""
        if line in self.report.look:
            return
        self.report.look.append(line)
        with (self._marker / _NOTES).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _people(self, part: Part) -> None:
        name, where = part.organisation.name, self._places(part)
        known = self._journals(part, where)
        if part.registry is None:
            self._look_at(
                f"{name}: THE REGISTRY IS IN REDIS: put its own backup back there, then `registry init --adopt`"
            )
            self._cases(part, people.erased(part, where))
            return
        self._registry(part, part.registry, where)
        with as_registry_errors():
            done = adopting.adopt(where, Owner(part.organisation.id, part.pseudonyms), self.act)
        again = people.again(part, where, self.act, self.ready.manifest.at, known)
        self.report.done += [f"{name}: {line}" for line in (*done, *again.done)]
        self._cases(part, again.erased)

    def _journals(self, part: Part, where: Places) -> list[Record]:
        """The present journals are newer and stay. Gives blocks that are known from elsewhere and must not be lost."""
        name, known = part.organisation.name, list[Record]()
        for here, kind in ((where.journal, "journal"), (where.web, "web")):
            kept = self.ready.folder / kind / f"{name}.journal"
            if not kept.exists():
                continue
            if self._sound(here):
                known += registries.lacking(here, kept)
                continue
            self._look_at(
                f"{name}: THE PRESENT JOURNAL {here} WAS MISSING OR DAMAGED, and that of the backup is in its place. "
                f"Opt-outs, objections and erasures since {self._then} that were only in it are not known here: look "
                "for them in the mail log, at the CRM, and in the letters and forms of that time"
            )
            self._older_journal(part, where, kept, here)
        return known

    def _older_journal(self, part: Part, where: Places, kept: Path, here: Path) -> None:
        """The backup's in place of one that is lost, with the blocks that the present registry still tells."""
        staged = self._marker / f"{kept.parent.name}-{kept.name}"
        shutil.copyfile(kept, staged)
        if here == where.journal:
            registries.add_blocks(staged, registries.blocks_of(where.registry))
        if here.exists():
            self._aside(part.organisation.name, here)
        files.put(staged, here, 0o640)

    @staticmethod
    def _sound(journal: Path) -> bool:
        try:
            return journal.exists() and registries.journal_end(journal).position >= 0
        except RegistryUnavailable:
            return False

    def _registry(self, part: Part, ready: Path, where: Places) -> None:
        name, owner = part.organisation.name, part.owner
        self._all_aside(name, where.registry)
        files.put(ready, where.registry)
        self.report.done.append(
            f"{name}: put back the registry of {self._then}: {owner.people} people, {owner.events} events"
        )

    def _cases(self, part: Part, erased: Sequence[bytes]) -> None:
        name = part.organisation.name
        here, kept = self._state / "cases" / f"{name}.sqlite", self.ready.folder / "cases" / f"{name}.sqlite"
        if cases.sound(here):
            self.report.done.append(f"{name}: the present cases are newer and stay")
            return
        self._all_aside(name, here)
        if not kept.exists():
            return
        staged = self._marker / f"cases-{name}.sqlite"
        shutil.copyfile(kept, staged)
        stopped = cases.stop_mail(staged)
        ended, left = people.end_cases(staged, part, self.credentials, erased, self.act)
        self._look_at(
            f"{name}: THE CASES ARE THOSE OF {self._then}. {left} are open, among them any that were closed since, "
            f"with what was sealed in them: close those once more. {ended} of people erased since were ended. "
            f"{stopped} mails that may have left are not sent again"
        )
        files.put(staged, here)

    def _audit(self) -> None:
        for kept in sorted((self.ready.folder / "audit").glob("shard-*.sqlite")):
            here = self._state / "spool" / kept.name
            if audit.sound(here):
                continue
            self._look_at(
                f"{here} was missing or damaged: mail that waited in it is lost, and its audit ends at {self._then}"
            )
            for old in sorted(here.parent.glob(f"{here.stem}.*")):
                self._aside("spool", old)
            files.put(kept, here)
            points = kept.with_suffix(".checkpoints")
            if points.exists():
                files.put(points, here.with_suffix(".checkpoints"))

    def _ids(self) -> None:
        kept, here = self.ready.folder / IDS, self._state / IDS
        if kept.exists() and not here.exists():
            files.put(kept, here)
            self.report.done.append("put back the list of ids that were ever given out")

    def _last_words(self) -> None:
        there = {part.organisation.name for part in self.ready.parts}
        others = [o.name for o in self.loaded.organisations if o.name not in there]
        self.report.done += [f"{name}: left as it is" for name in others]
        self.report.look.append(f"consents and facts recorded after {self._then} are gone: import them again")
        if self.ready.manifest.settings != self.loaded.version:
            self.report.look.append("the settings are others than those in force then, which are in its settings/")

    def _places(self, part: Part) -> Places:
        return places(self._state, part.organisation.name, self.loaded.gateway.web_folder)

    def _all_aside(self, name: str, database: Path) -> None:
        """With what SQLite keeps beside it: a log left there would be played into the file that takes its place."""
        for old in (database.with_name(database.name + suffix) for suffix in _SUFFIXES):
            if old.exists():
                self._aside(name, old)

    def _aside(self, name: str, path: Path) -> None:
        day = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.act.at))
        place = files.set_aside(path, self._state / "set-aside" / day / path.parent.name)
        self.report.done.append(f"{name}: {path.name} is set aside as {place}")


def staging(state: Path) -> Path:
    """Where registries are made ready; emptied of what an earlier run left."""
    folder = state / _STAGING
    clear(folder)
    return folder
