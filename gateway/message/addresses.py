"""Address lists as people see them: To, Cc, From and their like.

what:       mailboxes of an RFC 5322 address list, with names, comments, groups, quoted strings, encoded words
takes→gives: a field value → list of `Mailbox`
knows not:  which field it was, who these people are
fails by:   nothing: what is not an address comes back with `address` None
standard:   RFC 5322 3.4 and 4.4, RFC 6532, RFC 2047; R-038
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.address import Address, InvalidAddress
from gateway.message.headers import decode_words

_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*+)("?)'  # quoted string, 2: closed
    r"|\\.?"
    r"|[()<>,;:\[\]]"
    r'|[^"\\()<>,;:\[\]]+',
    re.S,
)
_ESCAPED = re.compile(r"\\(.)", re.S)
_PLAIN = re.compile(r"[^\s\"(),:;<>@\[\]\\]+@[^\s\"(),:;<>@\[\]\\]+")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One entry: `display` the decoded name ("" without), `address` None when it is none, `text` the entry as written.

    Printing shows neither name nor text (I-7).
    """

    display: str
    address: Address | None
    text: str

    def __repr__(self) -> str:
        return f"Mailbox({self.address!r})"


def addresses(value: str | bytes) -> list[Mailbox]:
    """Mailboxes of a To, Cc, From … value, groups flattened. One linear pass; never raises.

    Encoded words are decoded in names only, after the list is split, so that a comma inside one splits nothing (R-038).
    """
    text = value if isinstance(value, str) else _as_text(value)
    return _List(text.replace("\r\n", "")).read()


def _as_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class _List:
    """State of one pass: pieces of the entry being read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[Mailbox] = []
        self._start = 0
        self._reset()

    def _reset(self) -> None:
        self._phrase: list[str] = []  # outside angle brackets, quoted strings as written
        self._angle: list[str] | None = None
        self._comments: list[str] = []
        self._broken = self._group = False

    def read(self) -> list[Mailbox]:
        depth = 0
        in_angle = False
        comment: list[str] = []
        for token in _TOKEN.finditer(self._text):
            part = token[0]
            if depth:
                depth += (part == "(") - (part == ")")
                if depth:
                    comment.append(part)
                else:
                    self._comments.append("".join(comment))
                    comment = []
            elif part == "(":
                depth = 1
            elif part == "<" and not in_angle:
                self._broken |= self._angle is not None
                self._angle, in_angle = [], True
            elif part == ">" and in_angle:
                in_angle = False
            elif in_angle:
                assert self._angle is not None
                self._angle.append(part)
            elif part in (",", ";"):
                self._end(token.start(), token.end())
            elif part == ":" and not self._domain_literal():
                self._group = True
                self._start = token.end()
                self._phrase = []
            else:
                self._broken |= part.startswith('"') and not token[2]
                self._phrase.append(part)
        self._broken |= bool(depth) or in_angle
        self._comments += ["".join(comment)] if comment else []
        self._end(len(self._text), len(self._text))
        return self._found

    def _domain_literal(self) -> bool:
        """A colon inside `[IPv6:…]` starts no group."""
        return "[" in self._phrase and "]" not in self._phrase

    def _end(self, end: int, following: int) -> None:
        written = self._text[self._start : end].strip()
        self._start = following
        spec = "".join(self._angle) if self._angle is not None else "".join(self._phrase)
        display = "".join(self._phrase) if self._angle is not None else ""
        if written:
            address = None if self._broken else _address(spec, routed=self._angle is not None)
            self._found.append(Mailbox(_name(display, self._comments), address, written))
        self._reset()


def _address(spec: str, *, routed: bool) -> Address | None:
    spec = spec.strip()
    if routed and spec.startswith("@") and ":" in spec:  # obsolete route (RFC 5322 4.4)
        spec = spec.rpartition(":")[2].strip()
    if not _PLAIN.fullmatch(spec):
        spec = re.sub(r"\s*([@.])\s*", r"\1", spec) if len(spec) < 400 and '"' not in spec else spec
    if "@" not in spec:
        return None
    try:
        return Address.parse(spec)
    except (InvalidAddress, UnicodeError):
        return None


def _name(display: str, comments: list[str]) -> str:
    """The phrase without quotes, decoded; else the last comment (RFC 5322 A.1.3's old style)."""
    bare = display.strip()
    if '"' in bare:
        bare = re.sub(r'"((?:[^"\\]|\\.)*+)"', lambda m: _ESCAPED.sub(r"\1", m[1]), bare, flags=re.S)
    if not bare and comments:
        bare = comments[-1].strip()
    return decode_words(" ".join(bare.split())) if bare else ""
