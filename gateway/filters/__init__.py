"""All filters, in their order. This tuple is the only registry of them.

The order is part of the rules:

1. `header_hygiene` first: what no copy may carry goes before anything reads or adds fields.
2. `receipts`, for the same reason.
3. `private_recipients` gives each copy its own `To:`.
4. `trackers` before `opt_out`, so that our own link is never cleaned.
5. `opt_out` adds what people see last, and the list fields.
6. `long_lines` last: it re-encodes what is still too long after every other edit.

The leak check is no filter: it reads the result (see `plan.py`).
"""

from __future__ import annotations

from gateway.filters import header_hygiene, long_lines, opt_out, private_recipients, receipts, trackers
from gateway.filters.context import Filter

FILTERS: tuple[Filter, ...] = (
    header_hygiene.FILTER,
    receipts.FILTER,
    private_recipients.FILTER,
    trackers.FILTER,
    opt_out.FILTER,
    long_lines.FILTER,
)
