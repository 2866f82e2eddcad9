"""The relaxed canonical forms of DKIM, in time linear in the size of the message.

what:       body and header fields as a verifier will hash them
takes→gives: raw bytes with CRLF line ends → canonical bytes
knows not:  keys, which fields are signed, what was edited
fails by:   nothing: every byte string has a canonical form
standard:   RFC 6376 3.4.2, 3.4.4, 3.4.5 (R-089)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TAB_IS_SPACE = bytes.maketrans(b"\t", b" ")
_RUN = re.compile(rb"  +")
_STRETCH = 1 << 16  # octets of whole lines looked at together: where they hold no white space they stay as they are


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4. A body without its last CRLF is read as the wire will carry it: with one."""
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    text = b"".join(_stretches(body))
    if text.endswith(b"\r\n") and text[-3:-2] not in (b"", b"\r", b"\n"):
        return text
    kept = _without_empty_lines_at_end(text)
    return kept + b"\r\n" if kept else b""


def _stretches(body: bytes) -> Iterator[bytes]:
    """Each line by itself is canonical afterwards; an attachment in base64 passes as it is."""
    start = 0
    while start < len(body):
        end = body.find(b"\r\n", start + _STRETCH)
        piece = body[start : end + 2] if end >= 0 else body[start:]
        start += len(piece)
        if b" " in piece or b"\t" in piece:
            # Runs first, then line ends: each line then has one space at most before its CRLF, so nothing is quadratic.
            piece = _single_spaces(piece).replace(b" \r\n", b"\r\n")
        yield piece


def relaxed_value(value: bytes) -> bytes:
    """A field body: unfolded, runs of white space one space, none at the ends (RFC 6376 3.4.2)."""
    return _single_spaces(value.replace(b"\r\n", b"")).strip(b" ")


def split(message: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """`message` → fields in order as (name in lower case, value still folded), and the body.

    Lines that are no field cannot be signed and are left out.
    """
    if message.startswith(b"\r\n"):
        return [], message[2:]
    header, _, body = message.partition(b"\r\n\r\n")
    return [(name.rstrip(b" \t").lower(), value) for name, value in _fields(header)], body


def _fields(header: bytes) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    lines: list[bytes] = []
    for line in [*header.split(b"\r\n"), b""]:
        if line[:1] in (b" ", b"\t"):
            lines.append(line)
            continue
        if lines:
            name, colon, value = b"\r\n".join(lines).partition(b":")
            if colon:
                fields.append((name, value))
        lines = [line]
    return fields


def _single_spaces(text: bytes) -> bytes:
    if b"\t" in text:
        text = text.translate(_TAB_IS_SPACE)
    return _RUN.sub(b" ", text) if b"  " in text else text


def _without_empty_lines_at_end(text: bytes) -> bytes:
    end = text.rstrip(b"\r\n")
    tail = text[len(end) :]
    # Only whole CRLF pairs are empty lines; a lone CR or LF among them is content.
    return end + tail.replace(b"\r\n", b"\0").rstrip(b"\0").replace(b"\0", b"\r\n")
