"""Links of others that promise to stop mail: they go past our blocks, so they are counted, never removed silently.

what:       links whose address or words speak of unsubscribing, and that are not ours
takes→gives: nodes of HTML, or plain text → how many
knows not:  what to do about them
fails by:   nothing
standard:   R-074, R-077; L-20: what somebody stops elsewhere reaches us only as the client's next import
"""

from __future__ import annotations

import re

from gateway.filters.opt_out_place import Choosy
from gateway.message.html import Tag, Text
from gateway.message.skim import Glimpse, Mark

_SIGNS = (
    *(b"unsubscri", b"optout", b"opt-out", b"opt_out", b"afmeld", b"uitschrij", b"abmeld", b"abbestell", b"austragen"),
)
_FRENCH = re.compile(rb"d(?:e|%c3%a9|\xc3\xa9|\xe9|&eacute;)s(?:abonn|inscri)")
_WEB = ("http://", "https://", "mailto:")
_LABEL = 200  # octets of a link's words that are read; what is longer is no label


class Foreign(Choosy):
    """Counts while the nodes of a part go by."""

    names = frozenset({"a", "area"})
    inside = True

    def __init__(self, content: bytes, own: str) -> None:
        self.count = 0
        self.worth_it = _speaks(content)
        """Whether there can be anything to count: no node of many mails need be looked at."""
        self.reads = False
        """Whether it waits for the words of a link."""
        self._content = content
        self._own = own
        self._address = b""
        self._words = b""

    def take(self, node: Glimpse | Tag) -> None:
        if type(node) is Text:
            if self.reads:
                self._words += self._content[node.start : min(node.end, node.start + _LABEL)]
                self.reads = len(self._words) < _LABEL
        elif isinstance(node, Mark | Tag) and node.name in self.names:
            self._end()
            tag = node.tag() if isinstance(node, Mark) else node
            address = None if node.closing else tag.get("href")
            if address is not None and address.value.lower().startswith(_WEB):
                self._address = (
                    b"" if address.value.startswith(self._own) else address.value.encode("latin-1", "replace")
                )
                self.reads = bool(self._address)

    def _end(self) -> None:
        if self._address and (_speaks(self._address[:2000]) or _speaks(self._words)):
            self.count += 1
        self._address = self._words = b""
        self.reads = False


def _speaks(content: bytes) -> bool:
    """Of stopping mail. An expression that takes capitals for small letters is many times slower."""
    low = content.lower()
    if any(sign in low for sign in _SIGNS):
        return True
    return (b"sabonn" in low or b"sinscri" in low) and _FRENCH.search(low) is not None


def in_text(content: bytes, own: str) -> int:
    """Lines with a web address that speak of stopping mail."""
    if b"://" not in content or not _speaks(content):
        return 0
    ours = own.encode()
    lines = (line for line in content.split(b"\n") if b"://" in line and ours not in line)
    return sum(map(_speaks, lines))
