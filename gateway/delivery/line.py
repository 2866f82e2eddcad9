"""The line of rows that wait for one provider, and the lanes that carry them.

what:       `Line`: a queue, up to N lanes at once, and a rest after trouble
takes→gives: `Job` → the injected `carry(job, line)`, one at a time per lane
knows not:  what carrying means
fails by:   nothing; `carry` must not raise
standard:   S-14 (one provider's trouble is its own), R-017, R-082
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from gateway.config.organisation import Provider
from gateway.delivery.outcome import Job
from gateway.delivery.pool import Pool
from gateway.delivery.schedule import rest

Carry = Callable[[Job, "Line"], Awaitable[None]]


class Line:
    """One per organisation and provider. A provider that stalls fills its own line and nobody else's."""

    def __init__(self, organisation: str, provider: Provider, pool: Pool, lanes: int, carry: Carry) -> None:
        self.organisation = organisation
        self.provider = provider
        self.pool = pool
        self.troubles = 0
        self.trouble = ""
        self.rest_until = 0.0
        self.lanes = lanes
        self._carry = carry
        self._waiting: deque[Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = 0.0

    @property
    def waiting(self) -> int:
        """Rows not yet with a lane."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """Rows with a lane."""
        return len(self._tasks)

    def stalled(self, now: float, patience: float) -> bool:
        """Whether rows wait and none was finished for `patience` seconds; `now` by the loop's clock."""
        return bool(self._waiting) and now - self._moved > patience

    def add(self, job: Job, tasks: asyncio.TaskGroup) -> None:
        """Put a row at the end; starts a lane when there is room for one. A troubled provider gets one lane."""
        if not self._tasks:
            self._moved = asyncio.get_running_loop().time()
        self._waiting.append(job)
        if len(self._tasks) < (1 if self.troubles else self.lanes):
            task = tasks.create_task(self._lane())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _lane(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await self._carry(self._waiting.popleft(), self)
            self._moved = loop.time()

    def resting(self, now: float) -> bool:
        """Whether the provider is left alone now (Unix seconds)."""
        return now < self.rest_until

    def note_trouble(self, kind: str, now: float) -> bool:
        """Rest longer with each trouble in a row; lanes that fail together count once. True when it is news."""
        if self.resting(now):
            return False
        self.troubles += 1
        self.trouble = kind
        self.rest_until = now + rest(self.troubles)
        return self.troubles == 1

    def note_success(self) -> bool:
        """The provider takes mail again. True when it is news."""
        news, self.troubles, self.trouble, self.rest_until = self.troubles > 0, 0, "", 0.0
        return news

    def wake(self) -> None:
        """What troubled the provider may be mended (a new password, another port): no rest, but still one lane."""
        self.rest_until = 0.0

    def take_waiting(self) -> list[Job]:
        """Empty the line, for a drain."""
        jobs = list(self._waiting)
        self._waiting.clear()
        return jobs

    async def finish(self, grace: float) -> int:
        """Wait up to `grace` seconds for rows with a lane, then cut them off; how many were cut off."""
        tasks = set(self._tasks)
        if not tasks:
            return 0
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)
