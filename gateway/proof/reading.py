"""A message as the standard library reads it: the tree, what is in each part, what the header says.

what:       `Reading` of finished or original octets, by a parser that shares nothing with `message`
takes→gives: octets → `Reading`
knows not:  edits, people, what should be there
fails by:   nothing: what the parser cannot decode counts with its octets as they stand
standard:   RFC 5322, RFC 2045-2047 as `email` (compat32) understands them; DESIGN I-5
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from html import unescape
from typing import NamedTuple

from gateway.proof.outline import parsed
from gateway.proof.slim import slim

_MAIL = re.compile(r"[^\s<>\"'(),:;=]{1,64}@[^\s<>\"'(),:;=]{3,255}")
_MOST_TEXT = 2_000_000
_LISTS = ("to", "cc", "resent-to", "resent-cc")


@dataclass(frozen=True, slots=True)
class Node:
    """One part: its depth from 0, media type, digest of its decoded content ("" for what has parts of its own)."""

    depth: int
    media_type: str
    digest: str


class _Leaf(NamedTuple):
    """A text part with its decoded content."""

    part: Message
    content: bytes


class Reading:
    """Reads lazily: the tree at once, texts when asked for."""

    def __init__(self, octets: bytes) -> None:
        self._message = parsed(slim(octets))
        self._leaves = list[_Leaf]()
        self.nodes = tuple(self._node(part, depth) for part, depth in _walk(self._message, 0))
        self._counts = Counter(map(str.lower, self._message.keys()))

    def _node(self, part: Message, depth: int) -> Node:
        kind = part.get_content_type()
        if part.is_multipart():
            return Node(depth, kind, "")
        content = _content(part)
        if kind.startswith("text/"):
            self._leaves.append(_Leaf(part, content))
        return Node(depth, kind, hashlib.sha256(content).hexdigest()[:24])

    def count(self, name: str) -> int:
        """How often a field stands in the top header."""
        return self._counts[name.lower()]

    def values(self, name: str) -> list[str]:
        """Decoded values of a field of the top header."""
        return [_decoded(value) for value in self._message.get_all(name, ())]

    def header_addresses(self) -> set[str]:
        """Addresses in To, Cc and their Resent forms, as they are written."""
        boxes = getaddresses([str(v) for name in _LISTS for v in self._message.get_all(name, ())])
        return {address for _, address in boxes if "@" in address}

    def texts(self) -> Iterator[str]:
        """What the text parts say, decoded, of HTML also with its references resolved. Bounded."""
        left = _MOST_TEXT
        for leaf in self._leaves:
            if left <= 0:
                return
            text = _text(leaf)[:left]
            left -= len(text)
            yield unescape(text) if "&" in text else text

    def addresses(self) -> set[str]:
        """Everything that looks like an address, in the decoded header and texts."""
        found = {m[0] for _, value in self._message.items() for m in _MAIL.finditer(_decoded(value))}
        for text in self.texts():
            if "@" in text:
                found.update(m[0] for m in _MAIL.finditer(text))
        return found


def _walk(part: Message, depth: int) -> Iterator[tuple[Message, int]]:
    waiting: list[tuple[Message, int]] = [(part, depth)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        payload = part.get_payload()
        if isinstance(payload, list):
            waiting.extend((child, depth + 1) for child in reversed(payload) if isinstance(child, Message))


def _content(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        content = None
    if isinstance(content, bytes):
        return content
    return str(part.get_payload()).encode("utf-8", "surrogateescape")


def _text(leaf: _Leaf) -> str:
    try:
        return leaf.content.decode(leaf.part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return leaf.content.decode("latin-1")


def _decoded(value: object) -> str:
    text = str(value)
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError):
        return text
