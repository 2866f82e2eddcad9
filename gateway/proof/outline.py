"""A message as the standard library parses it, at a fraction of the work: bodies are put aside while the tree is read.

what:       runs of lines that can be neither boundary nor header become one mark each, and come back once it stands
takes→gives: octets → `email.message.Message` with the header fields and contents `email.message_from_bytes` gives
knows not:  what is in a part; which line is a boundary is left to the parser; what stands between parts
fails by:   nothing: what is not plain enough for this is parsed as it stands
standard:   RFC 2046 5.1.1 (a delimiter line begins with "--"); RFC 5322 2.1 (an empty line ends a header)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.feedparser import FeedParser
from email.message import Message

_LEAST = 160
"""Characters of a run that is put aside; a shorter one costs the parser as little as its mark."""
_MARK = re.compile("\0(\\d{1,9})\0")
_EMPTY_LINE = "\r\n\r\n"


class _Part(Message):
    """The parser asks each part some ten times for its type, and reads its header anew each time."""

    _kind = ""
    _payload: object

    def set_raw(self, name: str, value: str) -> None:
        self._kind = ""
        super().set_raw(name, value)

    def set_default_type(self, ctype: str) -> None:
        self._kind = ""
        super().set_default_type(ctype)

    def get_content_type(self) -> str:
        if not self._kind:
            self._kind = super().get_content_type()
        return self._kind

    def bring_back(self, runs: Sequence[str]) -> None:
        """What was put aside of its content; asked for by its name, octets that are no ASCII would come decoded."""
        if isinstance(self._payload, str) and "\0" in self._payload:
            self._payload = _MARK.sub(lambda found: runs[int(found[1])], self._payload)


def parsed(octets: bytes) -> Message:
    """The tree with header fields and contents."""
    text = octets.decode("ascii", "surrogateescape")
    if not _plain(text):
        return _fed(text)
    outline, runs = _outlined(text)
    message = _fed(outline)
    for part in message.walk() if runs else ():
        assert isinstance(part, _Part)
        part.bring_back(runs)
    return message


def _fed(text: str) -> Message:
    parser: FeedParser[_Part] = FeedParser(_Part)
    parser.feed(text)
    return parser.close()


def _plain(text: str) -> bool:
    """Whether all lines end in CRLF, no mark stands in it, and no part can hold a header of its own behind an empty
    line (message/*, or anything within multipart/digest)."""
    ends = text.count("\r\n")
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        return False
    low = text.lower()
    return "message/" not in low and "digest" not in low


def _outlined(text: str) -> tuple[str, list[str]]:
    """The text with marks in place of runs, and the runs.

    A run begins behind the empty line that ends a header, or what follows a line with "--", and ends before the next
    line with "--"; its last line end stays: it may belong to a delimiter.
    """
    pieces, runs, position = list[str](), list[str](), 0
    while (empty := text.find(_EMPTY_LINE, position)) >= 0:
        start, end = empty + 4, text.find("\r\n--", empty + 2)
        if end < 0:
            end = len(text) - 2 if text.endswith("\r\n") else len(text)
        if end - start >= _LEAST:
            pieces += (text[position:start], f"\0{len(runs)}\0")
            runs.append(text[start:end])
        else:
            end = max(end, empty + 2)
            pieces.append(text[position:end])
        position = end
    pieces.append(text[position:])
    return "".join(pieces), runs
