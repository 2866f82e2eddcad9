"""Campaigns of one organisation in the Redis that holds its registry, shared by several nodes.

what:       the `CampaignStore` of `protocol.py` on streams that end by themselves
takes→gives: as the protocol says
knows not:  what an entry says, people
fails by:   `CampaignsUnavailable`
standard:   R-059; DESIGN §4 Redis; I-12

Keys lie below the organisation's own prefix, in its slot. All end with the second epoch after the one they were made in
has begun, whether or not anybody purges; what a failover loses is learnt again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis import exceptions

from gateway.campaigns.protocol import MOST_ENTRIES, SECRET, CampaignsUnavailable, Entry
from gateway.registry.redis_primary import Argument, Primary, Reach

_FIELD = b"e"


class RedisCampaigns:
    """Used within one event loop. `ends`: epoch → Unix seconds at which all of it goes.

    `read_only`: makes and stores nothing, and keeps no connection open, so that any loop may ask (for explaining).
    """

    def __init__(self, reach: Reach, ends: Callable[[int], int], *, read_only: bool = False) -> None:
        self._reach = reach
        self._tag = f"{reach.tag}campaigns:"
        self._ends = ends
        self._read_only = read_only
        self._primary: Primary | None = None

    def keep_until(self, ends: Callable[[int], int]) -> None:
        self._ends = ends

    async def secret(self, epoch: int, *, make: bool) -> bytes:
        key = f"{self._tag}secret:{epoch}"
        found = await self._ask("GET", key)
        if not found and make:
            self._writable()
            # NX: who is first makes it, and everybody takes what is there.
            await self._ask("SET", key, secrets.token_bytes(SECRET), "NX")
            await self._ask("EXPIREAT", key, self._ends(epoch))
            found = await self._ask("GET", key)
        return bytes(found or b"")

    async def read(self, epoch: int, family: bytes, after: str) -> tuple[list[bytes], str]:
        rows = await self._ask("XRANGE", self._stream(epoch, family), f"({after}" if after else "-", "+")
        if not rows:
            return [], after
        return [bytes(fields[_FIELD]) for _, fields in rows], bytes(rows[-1][0]).decode("ascii")

    async def add(self, entries: Sequence[Entry]) -> None:
        self._writable()
        with _errors():
            client = await self._there().client()
            # Together: Redis syncs its file once for all that came in at once.
            async with client.pipeline(transaction=False) as batch:
                for entry in entries:
                    key = self._stream(entry.epoch, entry.family)
                    batch.xadd(key, {_FIELD: entry.data}, maxlen=MOST_ENTRIES, approximate=True)
                for epoch, family in dict.fromkeys((e.epoch, e.family) for e in entries):
                    batch.expireat(self._stream(epoch, family), self._ends(epoch))
                await self._sent(batch)

    async def purge(self, first: int, last: int) -> int:
        """Keys end by themselves: there is nothing to do, and nothing to count."""
        return 0

    async def close(self) -> None:
        primary, self._primary = self._primary, None
        if primary is not None:
            with _errors():
                await primary.close()

    def _writable(self) -> None:
        if self._read_only:
            raise CampaignsUnavailable("opened for reading only")

    def _stream(self, epoch: int, family: bytes) -> str:
        return f"{self._tag}{epoch}:{family.hex()}"

    def _there(self) -> Primary:
        if self._primary is None:
            self._primary = self._reach.primary()
        return self._primary

    async def _sent(self, batch: Any) -> None:
        try:
            await batch.execute()
        except (exceptions.RedisError, OSError):
            self._there().forget()  # perhaps another one is the primary by now
            raise

    async def _ask(self, *command: Argument) -> Any:
        try:
            with _errors():
                return await self._there().ask(*command)
        finally:
            if self._read_only:
                await self.close()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (exceptions.RedisError, OSError) as error:
        raise CampaignsUnavailable(f"Redis: {type(error).__name__}") from error
