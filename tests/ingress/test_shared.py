from __future__ import annotations

import asyncio

import pytest

from gateway import reply
from gateway.address import Address
from gateway.config.gateway import Limits
from gateway.envelope import Envelope, Peer, Recipient
from gateway.ingress.auth import Login
from gateway.ingress.clients import ClientDirectory
from gateway.ingress.limits import Budget, Occupancy
from gateway.ingress.shared import Accept, Shared, final, orphaned
from gateway.observe import metrics
from gateway.reply import Reply
from tests.ingress.setting import SHOP, Recorder

ENVELOPE = Envelope("shop", None, (Recipient(Address.parse("b@example.org")),), Peer("127.0.0.1", "x"))


def shared(accept: Accept) -> Shared:
    return Shared(
        hostname="x.example.org",
        limits=Limits(),
        clients=ClientDirectory([SHOP]),
        accept=accept,
        check_recipient=Recorder().check_recipient,
        login=Login(lambda stored, presented: False),
        occupancy=Occupancy(1, 1),
        budget=Budget(1),
    )


@pytest.mark.parametrize("answer", [reply.QUEUED, reply.TRY_LATER, reply.LEAK, reply.SHUTTING_DOWN])
def test_a_reply_that_ends_a_command_is_final(answer: Reply) -> None:
    assert final(answer) is answer


@pytest.mark.parametrize("answer", [None, "250 OK", 250, reply.START_DATA, True])
def test_anything_else_is_a_fault(answer: object) -> None:
    with pytest.raises(TypeError):
        final(answer)


@pytest.mark.parametrize("fails", [False, True])
async def test_storing_is_known_while_it_lasts_and_the_content_is_let_go_after(fails: bool) -> None:
    go_on = asyncio.Event()
    done: list[int] = []

    async def accept(envelope: Envelope, content: bytes) -> Reply:
        await go_on.wait()
        if fails:
            raise OSError
        return reply.QUEUED

    store = shared(accept)
    task = store.store(ENVELOPE, b"x", lambda: done.append(1))
    await asyncio.sleep(0)
    assert (store.storing, done) == ({task}, [])
    go_on.set()
    await asyncio.wait({task})
    await asyncio.sleep(0)
    assert (store.storing, done) == (set(), [1])
    assert isinstance(task.exception(), OSError if fails else type(None))


async def test_a_fault_that_no_client_hears_of_is_still_counted() -> None:
    async def accept(envelope: Envelope, content: bytes) -> Reply:
        raise OSError("b@example.org")

    counter = metrics.FAULTS.labels("ingress")
    before = counter._value.get()
    task = shared(accept).store(ENVELOPE, b"x", lambda: None)
    await asyncio.wait({task})
    orphaned(task)
    assert counter._value.get() == before + 1
