"""All filters, in their order. This tuple is the only registry of them.

The order is part of the rules:

1. `header_hygiene` first: what no copy may carry goes before anything reads or adds fields.
2. `receipts`, for the same reason.
3. `sensitive`: what such mail may not carry, and whether it may leave at all.
4. `private_recipients` gives each copy its own `To:`, and `calendar` leaves each guest alone with the organiser.
5. `encrypted_to` and `winmail` stop what shows fellow recipients, or may, and cannot be edited.
6. `trackers` before `opt_out`, so that our own link is never cleaned.
7. `opt_out` adds what people see last, and the list fields.
8. `long_lines` last: it re-encodes what is still too long after every other edit.

The leak check is no filter: it reads the result (see `plan.py`).
"""

from __future__ import annotations

from gateway.filters import (
    calendar,
    encrypted_to,
    header_hygiene,
    long_lines,
    opt_out,
    private_recipients,
    receipts,
    sensitive,
    trackers,
    winmail,
)
from gateway.filters.context import Filter

FILTERS: tuple[Filter, ...] = (
    header_hygiene.FILTER,
    receipts.FILTER,
    sensitive.FILTER,
    private_recipients.FILTER,
    calendar.FILTER,
    encrypted_to.FILTER,
    winmail.FILTER,
    trackers.FILTER,
    opt_out.FILTER,
    long_lines.FILTER,
)
