"""New keys for a worker at work: which may be taken on a reload, and the passes that bring what is stored under them.

what:       checks of a reload's keys against those in use; the loop that lifts registry rows and rewraps message keys
takes→gives: tenants before and after → reasons to refuse; an order → passes done, again after trouble
knows not:  key files, mail
fails by:   nothing: trouble is logged and tried again
standard:   DESIGN §4 Pseudonyms, Spool
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.observe import maillog
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.sqlite import SQLiteSpool
from gateway.tenant import Tenant

_AGAIN = 5.0  # seconds after trouble


def refusals(old: Mapping[str, Tenant], new: Mapping[str, Tenant]) -> Iterator[str]:
    """Keys may be added behind the others; one that changed or went would forget people or void links."""
    for name, tenant in new.items():
        before = old[name]
        keys = before.pseudonyms.keys
        if tenant.pseudonyms.keys[: len(keys)] != keys:
            yield f"{name}.pseudonym: a line changed or is gone; keys are only ever added at the end"
        if any(tenant.tokens.keys.get(number, key) != key for number, key in before.tokens.keys.items()):
            yield f"{name}.token: a key changed under its number; give a new key a new, higher number"


def fingerprint(tenants: Mapping[str, Tenant]) -> str:
    """The same in two processes that know people by the same keys, and tells nothing else."""
    checks = b"".join(tenants[name].pseudonyms.check_value() for name in sorted(tenants))
    return hashlib.sha256(checks).hexdigest()[:16]


@dataclass(slots=True)
class Rekeying:
    """`registries` only in the worker that lifts rows; `spools` in each worker its own."""

    registries: Mapping[str, PeopleRegistry]
    spools: Sequence[SQLiteSpool]
    _all_have_them: bool = False
    _ordered: asyncio.Event = field(default_factory=asyncio.Event)

    def order(self) -> None:
        """Every process has the keys: passes may begin. Before, only those begun earlier are gone on with."""
        self._all_have_them = True
        self._ordered.set()

    async def run(self) -> None:
        """Until cancelled: passes at the start (an earlier process may have been cut off) and whenever ordered."""
        while True:
            self._ordered.clear()
            if await self._passes():
                await self._ordered.wait()
            else:
                await asyncio.sleep(_AGAIN)

    async def _passes(self) -> bool:
        done = True
        for name, registry in self.registries.items():
            try:
                if await registry.lift(begin=self._all_have_them):
                    maillog.rekeyed(f"registry of {name}")
            except RegistryUnavailable as error:
                maillog.trouble(f"registry of {name}", type(error).__name__)
                done = False
        for spool in self.spools:
            try:
                await spool.rewrap()
            except SpoolUnavailable as error:
                maillog.trouble("spool", type(error).__name__)
                done = False
        return done
