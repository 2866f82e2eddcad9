"""Links of others that promise to stop mail: they go past our blocks, so they are counted, never removed silently.

what:       links whose address or words speak of unsubscribing, and that are not ours
takes→gives: nodes of HTML, or plain text → how many
knows not:  what to do about them
fails by:   nothing
standard:   R-074, R-077; L-20: what somebody stops elsewhere reaches us only as the client's next import
"""

from __future__ import annotations

import re

from gateway.message.html import Node, Tag, Text

_STOP = re.compile(
    rb"unsubscri|opt[-_]?out|afmeld|uitschrij|abmeld|abbestell|austragen|d(?:e|%C3%A9|\xc3\xa9|\xe9|&eacute;)s(?:abonn|inscri)",
    re.IGNORECASE,
)
_WEB = ("http://", "https://", "mailto:")
_LABEL = 200  # octets of a link's words that are read; what is longer is no label


class Foreign:
    """Counts while the nodes of a part go by."""

    def __init__(self, content: bytes, own: str) -> None:
        self.count = 0
        self._content = content
        self._own = own
        self._address = b""
        self._words = b""

    @property
    def worth_it(self) -> bool:
        """Whether there can be anything to count: no node of most mails need be looked at."""
        return _STOP.search(self._content) is not None

    def take(self, node: Node) -> None:
        if isinstance(node, Text):
            if self._address and len(self._words) < _LABEL:
                self._words += self._content[node.start : min(node.end, node.start + _LABEL)]
        elif isinstance(node, Tag) and node.name in ("a", "area"):
            self._end()
            address = node.get("href")
            if not node.closing and address is not None and address.value.lower().startswith(_WEB):
                self._address = (
                    b"" if address.value.startswith(self._own) else address.value.encode("latin-1", "replace")
                )

    def _end(self) -> None:
        if self._address and (_STOP.search(self._address[:2000]) or _STOP.search(self._words)):
            self.count += 1
        self._address = self._words = b""


def in_text(content: bytes, own: str) -> int:
    """Lines with a web address that speak of stopping mail."""
    if b"://" not in content or not _STOP.search(content):
        return 0
    lines = (line for line in content.split(b"\n") if b"://" in line and own.encode() not in line)
    return sum(_STOP.search(line) is not None for line in lines)
