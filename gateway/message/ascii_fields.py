"""Header fields with 8-bit text, written in ASCII so that every reader still reads the same.

what:       unstructured text, phrases and comments as encoded words, parameters in the extended form, host names as
            A-labels, URLs with percent signs
takes→gives: field name + value → value, folded, ASCII
knows not:  messages, edits, what a slot is (a run between two NULs is kept whole)
fails by:   `Unconvertible`: an address or identifier that only SMTPUTF8 can carry
standard:   RFC 2047 5, RFC 2231, RFC 5322 3.2-3.6, RFC 5890, RFC 2369; R-039, R-040, R-043
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.address import Address, InvalidAddress
from gateway.message.encoded_words import LEAST, LINE, MOST, encoded_words, extended
from gateway.message.headers import Span, charset_of, decode_words, parameters, unfold

MARK = b"\0"  # on both sides of what stands for a slot
_SLOT_WIDTH = 512
_INDENT = 20
_GLUED = 4  # octets that may follow a word without a space: ")," and the like

_WORD = re.compile(rb"([ \t\r\n]*)([^ \t\r\n]+)")
_ENCODED = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_TOKEN = re.compile(
    rb'(?P<quoted>"(?:[^"\\]|\\.)*+"?)'
    rb'|(?P<angle><(?:"(?:[^"\\]|\\.)*+"|[^>"])*+>?)'
    rb"|(?P<space>[ \t\r\n]+)"
    rb"|(?P<special>[,;:()\[\]])"
    rb'|(?P<atom>\\[^\r\n]|[^\s"<,;:()\[\]\\]+|.)',
    re.S,
)
_ESCAPED = re.compile(rb"\\(.)", re.S)
_SLOTTED = re.compile(rb"\0[^\0]*\0")
_BLANK = re.compile(r"[ \t\r\n]+")  # not the space that does not break
_HIGH = re.compile(rb"[\x80-\xff]")

_MAILBOXES = frozenset(
    [b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"return-path", b"errors-to", b"mail-followup-to"]
    + [b"mail-reply-to", b"disposition-notification-to", b"return-receipt-to", b"x-confirm-reading-to", b"list-id"]
    + [b"keywords", b"apparently-to", b"delivered-to", b"x-original-to", b"reply-by-to", b"x-sender", b"x-rcpt-to"]
    + [b"resent-" + n for n in (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")]
)
_PARAMETERS = frozenset([b"content-type", b"content-disposition"])
_IDENTIFIERS = frozenset([b"message-id", b"resent-message-id", b"in-reply-to", b"references"])
_LINKS = frozenset(
    [b"list-" + n for n in (b"help", b"unsubscribe", b"subscribe", b"post", b"owner", b"archive")] + [b"archived-at"]
)
_FIXED = frozenset(
    {
        *(b"received", b"date", b"resent-date", b"mime-version", b"content-transfer-encoding", b"content-language"),
        *(b"dkim-signature", b"domainkey-signature", b"authentication-results", b"received-spf", b"autocrypt"),
        *(b"arc-seal", b"arc-message-signature", b"arc-authentication-results", b"list-unsubscribe-post"),
    }
)


class Unconvertible(ValueError):
    """The value has no form in ASCII. The text says what it is, never what it says."""


def ascii_value(name: bytes, value: bytes) -> bytes:
    """`value` (after the colon, folded or not, without the last CRLF) in ASCII, with its leading space. Linear.

    Octets over 127 are read as UTF-8, else as windows-1252. No encoded word is longer than 75 octets, no line that
    holds one longer than 76. Raises `Unconvertible`.
    """
    written = _converted(name, value, charset_of(_SLOTTED.sub(b"", value)))
    if written.count(MARK) != value.count(MARK):
        raise Unconvertible("8-bit text beside a slot")
    return written


def _converted(name: bytes, value: bytes, charset: str) -> bytes:
    low = name.lower()
    if low in _PARAMETERS:
        return _parameterised(value, charset)
    if low == b"content-id":  # the HTML that points to it would have to change too
        raise Unconvertible("a Content-ID with 8-bit characters")
    kind = next((kind for names, kind in _KINDS if low in names), None)
    items = _unstructured(value, charset) if kind is None else _Structured(charset, *kind).items(value)
    return _folded(len(name) + 1, items)


@dataclass(frozen=True, slots=True)
class _Item:
    """White space, then octets; or white space, octets, `text` to be encoded, and what is glued to its end."""

    space: bytes
    octets: bytes
    text: str = ""
    glued: bytes = b""


def _unstructured(value: bytes, charset: str) -> list[_Item]:
    """Words with 8-bit octets become encoded words, with the white space that would be lost beside another one."""
    items: list[_Item] = []
    for found in _WORD.finditer(value):
        space, word = found[1], found[2]
        last = items[-1] if items else None
        bare = unfold(space).decode("ascii")
        if word.isascii():
            if last is not None and last.text and _ENCODED.fullmatch(word):
                items[-1] = replace(last, text=last.text + bare)
                space = b" "
            items.append(_Item(space, word))
            continue
        text = decode_words(word.decode(charset))
        if last is not None and last.text:
            items[-1] = replace(last, text=last.text + bare + text)
        elif last is not None and _ENCODED.fullmatch(last.octets):
            items.append(_Item(b" ", b"", bare + text))
        else:
            items.append(_Item(space or b" ", b"", text))
    return items


_Convert = Callable[[bytes, str], bytes]


class _Structured:
    """One pass over a field with phrases, comments and angle brackets (RFC 5322 3.4 and its relatives).

    `angle` converts what stands in angle brackets with 8-bit octets, `bare` what stands outside everything; without
    `bare` an address there is converted and other words are a phrase.
    """

    def __init__(self, charset: str, angle: _Convert, bare: _Convert | None) -> None:
        self._charset = charset
        self._angle = angle
        self._bare = bare
        self._items: list[_Item] = []
        self._phrase: list[tuple[str, bytes]] = []

    def items(self, value: bytes) -> list[_Item]:
        comment: list[bytes] = []
        depth = 0
        for token in self._tokens(value):
            kind, octets = token
            if octets == b"(" or (depth and octets == b")"):
                depth += 1 if octets == b"(" else -1
                comment.append(octets)
                if not depth:
                    self._phrase.append(("comment", b"".join(comment)))
                    comment = []
            elif depth:
                comment.append(octets)
            elif kind == "angle":
                self._end_phrase(named=True)
                self._add(octets if octets.isascii() else self._angle(octets, self._charset))
            elif octets in (b",", b";", b":"):
                self._end_phrase(named=octets == b":")
                self._add(octets)
            else:
                self._phrase.append((kind, octets))
        if comment:
            self._phrase.append(("comment", b"".join(comment)))
        self._end_phrase(named=False)
        return self._items

    def _tokens(self, value: bytes) -> Iterator[tuple[str, bytes]]:
        """Inside a comment a quote or an angle bracket is one character like any other."""
        position = depth = 0
        while found := _TOKEN.match(value, position):
            kind, octets = found.lastgroup or "", found[0]
            if depth and kind in ("quoted", "angle"):
                kind, octets = "atom", octets[:1]
            depth += (octets == b"(") - (octets == b")" and depth > 0)
            position += len(octets)
            yield kind, octets

    def _add(self, octets: bytes) -> None:
        """Octets after what is there; a mark of punctuation glued to it, an angle bracket after a space."""
        last = self._items[-1] if self._items else None
        glued = octets in (b",", b";", b":")
        if last is not None and not last.octets and not last.text:
            self._items[-1] = _Item(last.space, octets)
        elif last is not None and glued:
            self._items[-1] = (
                replace(last, glued=last.glued + octets) if last.text else replace(last, octets=last.octets + octets)
            )
        elif last is not None and not last.text and not last.glued:
            self._items[-1] = replace(last, octets=last.octets + octets)
        else:
            self._items.append(_Item(b" ", octets))

    def _space(self, space: bytes) -> None:
        last = self._items[-1] if self._items else None
        if last is None or last.octets or last.text:
            self._items.append(_Item(space, b""))

    def _end_phrase(self, *, named: bool) -> None:
        """What stood before an angle bracket, a colon (`named`), or the end of an entry."""
        tokens, self._phrase = self._phrase, []
        words = b"".join(octets for kind, octets in tokens if kind != "comment")
        if words.isascii() or self._bare is not None:
            for kind, octets in tokens:
                self._as_written(kind, octets)
            return
        lead = tokens[0][1] if tokens[0][0] == "space" else b" "
        self._space(lead)
        if not named and b"@" in words:
            self._add(_mailbox(words.strip(), self._charset))
        else:
            self._encode(_plain_phrase(tokens, self._charset), b"", b"")
        for kind, octets in tokens:
            if kind == "comment":
                self._space(b" ")
                self._as_written(kind, octets)
        if tokens[-1][0] == "space":
            self._space(b" ")

    def _as_written(self, kind: str, octets: bytes) -> None:
        if kind == "space":
            self._space(octets)
        elif octets.isascii():
            self._add(octets)
        elif kind == "comment":
            inner = octets[1:-1] if octets.endswith(b")") else octets[1:]
            self._encode(decode_words(unfold(_ESCAPED.sub(rb"\1", inner)).decode(self._charset)), b"(", b")")
        else:
            assert self._bare is not None
            self._add(self._bare(octets, self._charset))

    def _encode(self, text: str, before: bytes, after: bytes) -> None:
        last = self._items[-1] if self._items else None
        if last is None or last.octets or last.text:
            self._items.append(_Item(b" ", before, text, after))
        else:
            self._items[-1] = _Item(last.space, before, text, after)


def _plain_phrase(tokens: list[tuple[str, bytes]], charset: str) -> str:
    """The words of a phrase with single spaces, quotes taken away."""
    octets = b"".join(
        _ESCAPED.sub(rb"\1", o[1:].removesuffix(b'"')) if kind == "quoted" else o
        for kind, o in tokens
        if kind != "comment"
    )
    return _BLANK.sub(" ", decode_words(octets.decode(charset))).strip(" ")


def _mailbox(octets: bytes, charset: str) -> bytes:
    """An address whose host name alone is not ASCII, in A-labels."""
    bare = octets.strip()
    inner = bare[1:-1] if bare.startswith(b"<") and bare.endswith(b">") else bare
    try:
        address = Address.parse(inner.decode(charset).strip())
    except InvalidAddress:
        raise Unconvertible("an address with 8-bit characters") from None
    if not address.local.isascii() or not address.canonical_domain.isascii():
        raise Unconvertible("an address that needs SMTPUTF8")
    written = f"{address.local}@{address.canonical_domain}".encode()
    return b"<" + written + b">" if inner is not bare else written


def _percent(octets: bytes, charset: str) -> bytes:
    return _HIGH.sub(lambda found: b"%%%02X" % found[0][0], octets)


def _questioned(octets: bytes, charset: str) -> bytes:
    """In a field that has no room for other characters each becomes a question mark."""
    return octets.decode(charset, "replace").encode("ascii", "replace")


def questioned(octets: bytes) -> bytes:
    """Text that nobody is shown, in ASCII: each other character a question mark."""
    return _questioned(octets, charset_of(octets))


def _folded(column: int, items: list[_Item]) -> bytes:
    """The items on lines; a line with an encoded word has at most 76 octets, other lines stay as they were."""
    pieces: list[bytes] = []
    encoded = False  # whether the line has an encoded word
    for item in items:
        if not item.octets and not item.text:
            continue
        folded, indent = b"\r\n" in item.space, item.space.rpartition(b"\r\n")[2] or b" "
        if item.text and len(indent) > _INDENT:
            indent = b" "
        need = LEAST + len(item.octets) + _GLUED if item.text else _width(item.octets)
        folded = folded or ((encoded or bool(item.text)) and column + len(indent) + need > LINE)
        if folded:
            pieces.append(b"\r\n")
            column, encoded = 0, False
        column += len(indent)
        written = _written(item, column)
        pieces += [indent, written]
        encoded = encoded or bool(item.text) or _ENCODED.search(written) is not None
        _, fold, last = written.rpartition(b"\r\n")
        column = _width(last) + (0 if fold else column)
    return b"".join(pieces)


def _written(item: _Item, column: int) -> bytes:
    if not item.text:
        return item.octets
    first = max(LEAST, min(MOST, LINE - column - len(item.octets) - _GLUED))
    words = encoded_words(item.text, first=first, most=MOST - _GLUED)
    return item.octets + b"\r\n ".join(words) + item.glued


def _width(octets: bytes) -> int:
    return len(octets) + _SLOT_WIDTH * (octets.count(MARK) // 2)


def _parameterised(value: bytes, charset: str) -> bytes:
    """Each parameter with 8-bit octets in the extended form, on a line of its own (RFC 2231)."""
    read = parameters(value)
    changed = {_base(span) for span in read.spans if not value[span.start : span.end].isascii()}
    done: set[str] = set()
    pieces: list[bytes] = []
    position = 0
    for span in read.spans:
        base = _base(span)
        if base not in changed:
            continue
        before, position = value[position : span.start], span.end
        if base in done:  # another segment of it: written with the first
            pieces.append(before.rstrip(b"; \t\r\n"))
            continue
        done.add(base)
        lines = extended(base.encode("latin-1"), read.values.get(base, ""))
        pieces += [before.rstrip(b" \t\r\n"), b";".join(b"\r\n " + line for line in lines)]
    whole = b"".join([*pieces, value[position:]])
    return whole if whole.isascii() else _questioned(whole, charset)


def _base(span: Span) -> str:
    return span.name.partition("*")[0]


# How what stands in angle brackets is converted, and what stands outside everything (None: it is a phrase).
_KINDS: tuple[tuple[frozenset[bytes], tuple[_Convert, _Convert | None]], ...] = (
    (_MAILBOXES, (_mailbox, None)),
    (_IDENTIFIERS, (_percent, None)),
    (_LINKS, (_percent, _percent)),
    (_FIXED, (_questioned, _questioned)),
)
