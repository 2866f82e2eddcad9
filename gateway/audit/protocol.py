"""What was done, per message and recipient, without addresses (I-7, I-11).

what:       `AuditRow`, written in the spool's own transaction, chained per shard over salted commitments
knows not:  how the spool stores mail
fails by:   `AuditUnavailable`
standard:   L-07, DESIGN §4 Audit
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class AuditUnavailable(Exception):
    """A shard's audit cannot be read or written now."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing done. `at` Unix seconds; `what` e.g. accepted, refused, held, delivered, failed, released, read.

    `pseudonym` is the exact one (32 octets) or b"" for rows about nobody; `detail` is JSON-able and holds no address.
    """

    at: float
    organisation: str
    message: str
    what: str
    pseudonym: bytes
    detail: Mapping[str, object]
