"""The SMTP envelope: the only truth about who gets a message (RFC 5598 2.2.1, RFC 3461).

what:       one accepted transaction as a frozen value
takes→gives: built by ingress, read by everyone after it
knows not:  headers, policy, storage
fails by:   `ValueError` when built wrongly
standard:   RFC 5321 3.3, RFC 3461 4, RFC 6152, RFC 6531
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.address import Address


class Notify(StrEnum):
    """RFC 3461 4.1. An empty set means the sender said nothing."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO. `orcpt` is kept as received ("rfc822;user+40example.org", still xtext), or empty.

    `postmaster` says that this is the organisation's own postmaster (R-022), whatever the address is by now.
    """

    address: Address
    notify: frozenset[Notify] = frozenset()
    orcpt: str = ""
    postmaster: bool = False

    def __post_init__(self) -> None:
        if Notify.NEVER in self.notify and len(self.notify) > 1:
            raise ValueError("NOTIFY=NEVER stands alone (RFC 3461 4.1)")


@dataclass(frozen=True, slots=True)
class Peer:
    """How the client came in; feeds the Received field and the client check, never a decision.

    `address` is an IP literal, `helo` as given, `tls` the negotiated version or "", `authenticated` whether by AUTH.
    """

    address: str
    helo: str
    tls: str = ""
    authenticated: bool = False
    esmtp: bool = True


@dataclass(frozen=True, slots=True)
class Envelope:
    """One transaction. `client` is the name from the settings; `sender` None is the null reverse-path `<>`."""

    client: str
    sender: Address | None
    recipients: tuple[Recipient, ...]
    peer: Peer
    smtputf8: bool = False
    eight_bit: bool = False  # BODY=8BITMIME
    ret: str = ""  # "", "FULL" or "HDRS"
    envid: str = ""  # xtext as received

    def __post_init__(self) -> None:
        if not self.recipients:
            raise ValueError("an envelope has at least one recipient")
        if self.ret not in ("", "FULL", "HDRS"):
            raise ValueError(f"RET={self.ret}: expected FULL or HDRS (RFC 3461 4.3)")
