"""Which header fields leave beside those that always do, and the one field an organisation may have added.

what:       `Headers`: names to add to the lists of the filters `receipts` and `header_hygiene`, and names to keep
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   RFC 5322 2.2 (field names), MS-OXCMAIL 2.2.3.2.14; R-034, R-052, R-056
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from gateway.config.base import Settings

# Without these a mail is none, or they are ours to write: no setting takes them out.
_NEEDED = frozenset(
    {"from", "sender", "reply-to", "to", "cc", "date", "message-id", "in-reply-to", "references", "subject", "received"}
) | frozenset({"mime-version", "dkim-signature", "authentication-results"})


_FIELD_NAME = re.compile(r"[!-9;-~]{1,77}")


def _may_leave(name: str) -> str:
    low = name.lower()
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError("expected the name of a header field, without colon and blanks")
    if low in _NEEDED or low.startswith(("content-", "list-", "resent-", "arc-")):
        raise ValueError("expected a field that mail can do without")
    return name


FieldName = Annotated[str, AfterValidator(_may_leave)]


class Headers(Settings):
    """Header fields of this organisation's mail (R-034, R-052, R-056)."""

    receipts: tuple[FieldName, ...] = ()
    """Further fields that ask for receipts; they leave with the known ones."""
    private: tuple[FieldName, ...] = ()
    """Further fields that tell about the inside of the organisation, such as X-Mailer; they leave in any case."""
    keep: tuple[FieldName, ...] = ()
    """Known private fields that stay nevertheless."""
    suppress_automatic_replies: bool = False
    """Whether X-Auto-Response-Suppress asks Exchange for no receipts: a belt beside the braces (R-056)."""
