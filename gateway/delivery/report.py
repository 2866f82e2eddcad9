"""What the submitter must hear about one recipient, and when nothing may be said.

what:       `Report`, and the NOTIFY tables
takes→gives: facts about one row → a frozen value that the outbox turns into a DSN
knows not:  how a DSN is written or sent
fails by:   nothing
standard:   RFC 3461 4.1, 5.2; RFC 3464; R-015, R-111..R-114
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.address import Address
from gateway.envelope import Notify


class ReportAction(StrEnum):
    """RFC 3464 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Report:
    """One recipient's part of a DSN. Times are Unix seconds; `orcpt` and `envid` as received (xtext).

    `reason` is one sentence for people, without an address; `diagnostic` is the provider's own line, or "".
    `headers` are the top fields safe to return, CRLF line ends, latin-1.
    """

    action: ReportAction
    organisation: str
    client: str
    message: str
    reference: int
    stream: str
    submitter: Address
    recipient: Address
    status: str
    reason: str
    arrival: float
    at: float
    orcpt: str = field(default="", repr=False)
    envid: str = field(default="", repr=False)
    ret: str = ""
    diagnostic: str = field(default="", repr=False)
    remote_mta: str = ""
    retry_until: float | None = None
    headers: str = field(default="", repr=False)
    person: bool = False
    """Whether the recipient's mailbox itself is at fault (RFC 3463 x.1, x.2.1), and not we, the mail or a provider."""


_ASKED = {
    ReportAction.FAILED: Notify.FAILURE,
    ReportAction.DELAYED: Notify.DELAY,
    ReportAction.RELAYED: Notify.SUCCESS,
    ReportAction.DELIVERED: Notify.SUCCESS,
}


def wanted(action: ReportAction, notify: Collection[str], *, null_sender: bool) -> bool:
    """Whether a report may be sent: by what NOTIFY said, or its absence (failure and delay only).

    Mail with the null reverse-path never gets one (RFC 5321 4.5.5).
    """
    if null_sender or Notify.NEVER in notify:
        return False
    if not notify:
        return action in (ReportAction.FAILED, ReportAction.DELAYED)
    return _ASKED[action] in notify


def relay_notice(notify: Collection[str], *, hop_dsn: bool, split: bool, null_sender: bool) -> bool:
    """Whether we owe a "relayed" report after a 2xx (RFC 3461 5.2.2 b).

    Not where the hop took over the request, nor for copies of a split: their SUCCESS was answered at intake (R-111).
    """
    return not hop_dsn and not split and wanted(ReportAction.RELAYED, notify, null_sender=null_sender)
