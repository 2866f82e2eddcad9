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
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.observe import maillog
from gateway.pseudonym import Pseudonyms
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.sqlite import SQLiteSpool
from gateway.tenant import Tenant
from gateway.token import TokenKeys

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


def fingerprint(people: Mapping[str, Pseudonyms], links: Mapping[str, TokenKeys], spool: Mapping[int, bytes]) -> str:
    """The same in two processes that work with the same keys, by organisation name; tells nothing else."""
    found = hashlib.sha256()
    for name in sorted(people):
        found.update(people[name].check_value())
        found.update(_check(links[name].keys))
    found.update(_check(spool))
    return found.hexdigest()[:16]


def _check(keys: Mapping[int, bytes]) -> bytes:
    checks = (hmac.digest(key, b"briefgeheim key in use %d" % number, "sha256") for number, key in sorted(keys.items()))
    return hashlib.sha256(b"".join(checks)).digest()


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
