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

from gateway.base64_lines import stretches

_TAB_IS_SPACE = bytes.maketrans(b"\t", b" ")
_RUN = re.compile(rb"  +")


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4. A body without its last CRLF is read as the wire will carry it: with one."""
    return b"".join(relaxed_pieces(body))


def relaxed_pieces(message: bytes, start: int = 0) -> Iterator[bytes]:
    """The canonical form of the body `message[start:]` in pieces, to be hashed without a copy of the whole.

    Each line by itself is canonical afterwards; an attachment in base64 passes as it is.
    """
    empty = 0  # lines in a row; written only once another line follows them
    for piece in stretches(message, start):
        text = _relaxed_lines(piece if piece.endswith(b"\r\n") else piece + b"\r\n")
        kept = text if text[-3:-2] not in (b"", b"\r", b"\n") else _without_empty_lines_at_end(text)
        if kept:
            yield b"\r\n" * empty + kept if empty else kept
            empty = 0
        empty += (len(text) - len(kept)) // 2


def _relaxed_lines(lines: bytes) -> bytes:
    if b" " not in lines and b"\t" not in lines:
        return lines
    # Runs first, then line ends: each line then has one space at most before its CRLF, so nothing is quadratic.
    return _single_spaces(lines).replace(b" \r\n", b"\r\n")


def relaxed_value(value: bytes) -> bytes:
    """A field body: unfolded, runs of white space one space, none at the ends (RFC 6376 3.4.2)."""
    return _single_spaces(value.replace(b"\r\n", b"")).strip(b" ")


def split(message: bytes) -> tuple[list[tuple[bytes, bytes]], int]:
    """`message` → fields in order as (name in lower case, value still folded), and the offset where its body begins.

    Lines that are no field cannot be signed and are left out.
    """
    if message.startswith(b"\r\n"):
        return [], 2
    end = message.find(b"\r\n\r\n")
    header, body = (message[:end], end + 4) if end >= 0 else (message, len(message))
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
    """`text` up to the CRLF of its last line that says something; nothing when none does."""
    end = text.rstrip(b"\r\n")
    tail = text[len(end) :]
    # Only whole CRLF pairs are empty lines; a lone CR or LF among them is content.
    kept = end + tail.replace(b"\r\n", b"\0").rstrip(b"\0").replace(b"\0", b"\r\n")
    return kept + b"\r\n" if kept else b""
