"""A job knows when it may be read."""

from __future__ import annotations

import pytest

from gateway.delivery.outcome import Job
from tests.delivery.test_letter import ENTRY, KEYS, OPENED


class Shelf:
    async def open(self, entry: object) -> object:
        assert entry is ENTRY
        return OPENED


async def test_a_job_is_read_after_it_is_unsealed() -> None:
    job = Job(Shelf(), ENTRY)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        _ = job.body
    await job.unseal(KEYS)
    assert job.body == OPENED.body
    assert job.opened_letter.path.recipient == "Jan+x@Wide.Example"
    assert not job.settled
