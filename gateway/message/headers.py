"""Structured header values: parameters (RFC 2231, quoted strings, comments) and encoded words, for reading.

what:       Content-Type and Content-Disposition values with the spans of their parameters; RFC 2047 text
takes→gives: the bytes after a colon → `Parameters`; header bytes → text
knows not:  where the field stands, which parameters matter
fails by:   nothing; odd input gives `clean=False` or the text as it is
standard:   RFC 2045 5.1, RFC 2231, RFC 2047, RFC 5322 2.2.3; R-039, R-040
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.message.encodings import codec

_MAIN = re.compile(rb"[^;]*")
_PARAMETER = re.compile(rb'[\s;]*([^\s=;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*+"?|[^;]*))?', re.S)
_COMMENT = re.compile(rb'"(?:[^"\\]|\\.)*+"?|\\.|[()]', re.S)
_ESCAPED = re.compile(rb"\\(.)", re.S)
_SEGMENT = re.compile(r"([^*]+)\*(?:(\d{1,4})(\*)?)?")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_WORD = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?\r\n]*)\?=")
_MOST_PARAMETERS = 500
_FOLD = b"\x0b\n"  # white space that is nowhere in a header


@dataclass(frozen=True, slots=True)
class Span:
    """One parameter as written: `name` in lower case with its stars; `start:end` covers name, "=" and value."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """A value such as `text/plain; charset=utf-8`.

    `main` is the lower-case text before the first ";", `values` the decoded parameters by lower-case name,
    `spans` offsets in the bytes that were read, `repeated` names given twice (first wins), and `clean` is False when
    something between the parameters had to be skipped, so that another reader could see another value.
    """

    main: str
    values: Mapping[str, str]
    spans: tuple[Span, ...] = ()
    repeated: frozenset[str] = frozenset()
    clean: bool = True


def parameters(value: bytes) -> Parameters:
    """Read a Content-Type or Content-Disposition value (the bytes after the colon, folded or not). Linear."""
    flat = value.replace(b"\r\n", _FOLD)  # same length: spans stay offsets in `value`
    if b"(" in flat:
        flat = _blank_comments(flat)
    main = _MAIN.match(flat)
    end = main.end() if main else 0
    spans, pairs, clean = _pairs(flat, end)
    values, repeated = _join(pairs)
    return Parameters(flat[:end].strip().decode("latin-1").lower(), values, spans, repeated, clean)


def _pairs(flat: bytes, position: int) -> tuple[tuple[Span, ...], list[tuple[str, bytes]], bool]:
    spans: list[Span] = []
    pairs: list[tuple[str, bytes]] = []
    clean = True
    while match := _PARAMETER.match(flat, position):
        name, raw = match[1].decode("latin-1").lower(), match[2]
        position = match.end()
        if raw is not None:
            end = match.start(2) + len(raw.rstrip())
            spans.append(Span(name, match.start(1), end))
            clean &= not raw.startswith(b'"') or (len(raw) > 1 and raw.endswith(b'"'))
            pairs.append((name, _unquoted(raw.rstrip()).replace(_FOLD, b"")))
        following = flat.find(b";", position)
        following = len(flat) if following < 0 else following
        clean &= not flat[position:following].strip()
        position = following
        if len(spans) >= _MOST_PARAMETERS:
            return tuple(spans), pairs, False
    return tuple(spans), pairs, clean and not flat[position:].strip(b"; \t\r\n")


def _unquoted(raw: bytes) -> bytes:
    if not raw.startswith(b'"'):
        return raw
    inner = raw[1:-1] if len(raw) > 1 and raw.endswith(b'"') else raw[1:]
    return _ESCAPED.sub(rb"\1", inner) if b"\\" in inner else inner


def _blank_comments(flat: bytes) -> bytes:
    """Comments become spaces of the same length (RFC 5322 3.2.2); they nest."""
    pieces: list[bytes] = []
    depth = start = kept = 0
    for token in _COMMENT.finditer(flat):
        if token[0] == b"(":
            if depth == 0:
                start = token.start()
            depth += 1
        elif token[0] == b")" and depth:
            depth -= 1
            if depth == 0:
                pieces += [flat[kept:start], b" " * (token.end() - start)]
                kept = token.end()
    return b"".join([*pieces, flat[kept:]])


def _join(pairs: Iterable[tuple[str, bytes]]) -> tuple[dict[str, str], frozenset[str]]:
    """Join RFC 2231 segments; the extended form wins over the plain one of the same name."""
    plain: dict[str, str] = {}
    segments: dict[str, dict[int, tuple[bytes, bool]]] = {}
    repeated: set[str] = set()
    for name, raw in pairs:
        match = _SEGMENT.fullmatch(name) if "*" in name else None
        if match is None:
            if name in plain:
                repeated.add(name)
            plain.setdefault(name, _text(raw))
            continue
        held = segments.setdefault(match[1], {})
        index = int(match[2] or 0)
        if index in held:
            repeated.add(match[1])
        held.setdefault(index, (raw, match[2] is None or match[3] is not None))
    for name, held in segments.items():
        if name in plain:
            repeated.add(name)
        plain[name] = _extended(held)
    return plain, frozenset(repeated)


def _extended(held: Mapping[int, tuple[bytes, bool]]) -> str:
    charset = ""
    octets: list[bytes] = []
    for order, index in enumerate(sorted(held)):
        raw, encoded = held[index]
        if encoded and order == 0 and raw.count(b"'") >= 2:
            label, _, raw = raw.split(b"'", 2)
            charset = label.decode("latin-1")
        octets.append(_PERCENT.sub(lambda m: bytes([int(m[1], 16)]), raw) if encoded else raw)
    whole = b"".join(octets)
    name = codec(charset) if charset else ""
    return whole.decode(name, "replace") if name else _text(whole)


def _text(raw: bytes) -> str:
    return raw.decode(charset_of(raw))


def charset_of(raw: bytes) -> str:
    """The charset of header bytes without a label: UTF-8 (RFC 6532), else windows-1252, else Latin-1."""
    for name in ("utf-8", "cp1252"):
        try:
            raw.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def unfold(value: bytes) -> bytes:
    """RFC 5322 2.2.3: drop the CRLFs, keep the white space."""
    return value.replace(b"\r\n", b"") if b"\r\n" in value else value


def header_text(value: bytes) -> str:
    """Unfolded and decoded text of a field value, stripped. For reading only."""
    return decode_words(_text(unfold(value))).strip()


def decode_words(text: str) -> str:
    """Decode the RFC 2047 words in `text`, wherever they stand; broken ones stay as they are. Linear."""
    if "=?" not in text:
        return text
    pieces: list[str] = []
    pending: list[bytes] = []  # words of one charset may split a character between them
    pending_codec, position = "", 0
    for word in _WORD.finditer(text):
        gap = text[position : word.start()]
        name, octets = codec(word[1]), _word_octets(word[2], word[3])
        if not name or octets is None:
            continue
        if pending and (name != pending_codec or gap.strip(" \t\r\n")):
            pieces.append(b"".join(pending).decode(pending_codec, "replace"))
            pending = []
        if gap.strip(" \t\r\n") or not (position and pending_codec):
            pieces.append(gap)
        pending.append(octets)
        pending_codec, position = name, word.end()
    if pending:
        pieces.append(b"".join(pending).decode(pending_codec, "replace"))
    return "".join([*pieces, text[position:]])


def _word_octets(kind: str, payload: str) -> bytes | None:
    raw = payload.encode("utf-8", "replace")
    if kind in "qQ":
        return binascii.a2b_qp(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return None
