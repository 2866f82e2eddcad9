"""The envelope as a value."""

from __future__ import annotations

import pytest

from gateway.address import Address
from gateway.envelope import Envelope, Notify, Peer, Recipient

JAN = Address.parse("jan@example.org")
PEER = Peer("192.0.2.1", "client.example")


def test_an_envelope_has_a_recipient() -> None:
    with pytest.raises(ValueError, match="at least one recipient"):
        Envelope("crm", JAN, (), PEER)


@pytest.mark.parametrize("ret", ["", "FULL", "HDRS"])
def test_ret_is_what_rfc_3461_names(ret: str) -> None:
    assert Envelope("crm", None, (Recipient(JAN),), PEER, ret=ret).ret == ret


@pytest.mark.parametrize("ret", ["full", "BODY", " "])
def test_any_other_ret_is_refused(ret: str) -> None:
    with pytest.raises(ValueError, match="RET"):
        Envelope("crm", None, (Recipient(JAN),), PEER, ret=ret)


def test_never_stands_alone() -> None:
    Recipient(JAN, frozenset({Notify.NEVER}))
    Recipient(JAN, frozenset({Notify.SUCCESS, Notify.DELAY}))
    with pytest.raises(ValueError, match="NEVER"):
        Recipient(JAN, frozenset({Notify.NEVER, Notify.FAILURE}))


def test_an_envelope_prints_no_address() -> None:
    shown = repr(Envelope("crm", JAN, (Recipient(Address.parse("piet@hidden.example")),), PEER))
    assert "jan@" not in shown
    assert "hidden" not in shown


def test_an_envelope_cannot_be_changed() -> None:
    envelope = Envelope("crm", None, (Recipient(JAN),), PEER)
    with pytest.raises(AttributeError):
        envelope.client = "other"  # type: ignore[misc]
