"""Unsealed message content, kept while its rows go out.

what:       least recently used content, bounded in octets, dropped when its message is done
takes→gives: message id ↔ `Content`
knows not:  where content comes from
fails by:   nothing
standard:   DESIGN §4 Spool (a key lives no longer than its message)
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from gateway.spool.reader import Content

_OCTETS = 64 * 2**20
_FIXED = 2048  # what an entry costs beside its body


class ContentCache:
    """Used from the event loop and the far reader's thread. Holds at least the newest entry, however large."""

    def __init__(self, octets: int = _OCTETS) -> None:
        self._limit = octets
        self._held = 0
        self._kept: OrderedDict[str, Content] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, message: str) -> Content | None:
        with self._lock:
            content = self._kept.get(message)
            if content is not None:
                self._kept.move_to_end(message)
            return content

    def keep(self, message: str, content: Content) -> None:
        with self._lock:
            self._drop(message)
            self._kept[message] = content
            self._held += len(content.body) + _FIXED
            while self._held > self._limit and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def drop(self, message: str) -> None:
        with self._lock:
            self._drop(message)

    def _drop(self, message: str) -> None:
        content = self._kept.pop(message, None)
        if content is not None:
            self._held -= len(content.body) + _FIXED
