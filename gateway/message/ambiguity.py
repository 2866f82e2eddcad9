"""Spellings that two readers take differently, so that one of them would see another mail than we do.

what:       judges a Content-Type, a Content-Transfer-Encoding and base64 text
takes→gives: octets as written → why they are ambiguous ("" when they are not)
knows not:  the message around them; what is done about it
fails by:   nothing
standard:   RFC 2045 5.1 and 6, RFC 2046 5.1.1; R-049. What readers do was measured on tests/parsers/evasions.py
"""

from __future__ import annotations

import re

from gateway.message.encodings import IDENTITY, KNOWN, codec
from gateway.message.headers import Parameters

_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.S)
_ODD_TYPE = re.compile(rb'[^\t\r\n -~]|["()\\]')  # some take these apart, some take them literally
_BOUNDARY = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_WORD = re.compile(r"=\?[^?]*\?[bBqQ]\?[^?]*\?=")
_DECODED = re.compile(r"base64|quoted-printable")
_MISSPELT = re.compile(r"[78][ _-]?bits?|binary|none|plain|text|raw|default|text/(?:plain|html)")
_SEXTET = re.compile(rb"[A-Za-z0-9+/]")


def ambiguous_type(value: bytes, read: Parameters) -> str:
    """Why two readers could give this Content-Type two meanings; only what shapes the part tree counts."""
    if _ODD_TYPE.search(value.partition(b";")[0]):
        return "a Content-Type that readers take differently"
    if not read.main.startswith("multipart"):
        return ""
    bare = _QUOTED.sub(b'""', value)
    if read.main in ("multipart", "multipart/") or b"(" in bare or b"\\" in value or not read.clean:
        return "a multipart Content-Type that readers take differently"
    if "boundary" in read.repeated:
        return "two boundary parameters"
    return _ambiguous_boundary(value, read)


def _ambiguous_boundary(value: bytes, read: Parameters) -> str:
    boundary = read.values.get("boundary")
    if boundary is None:
        return ""
    folded = any(
        b"\r\n" in _without_margin(value[s.start : s.end]) for s in read.spans if s.name.split("*")[0] == "boundary"
    )
    if folded or ";" in boundary or _WORD.search(boundary) or not _BOUNDARY.fullmatch(boundary):
        return "a boundary that readers take differently"
    return ""


def _without_margin(parameter: bytes) -> bytes:
    """A parameter as written, without the white space around its equals sign, where a fold changes nothing."""
    name, equals, written = parameter.partition(b"=")
    return name.strip() + equals + written.strip()


def transfer_encoding(value: bytes) -> tuple[str, str]:
    """The encoding's name, and why readers could take it differently. Misspelt names of none at all are "8bit"."""
    plain = value.strip().lower().decode("latin-1")
    if plain in KNOWN:
        return plain, ""
    plain = plain.replace("\r\n", "")
    if not plain:
        return "7bit", ""
    if _DECODED.search(plain):
        return plain, "a Content-Transfer-Encoding that readers take differently"
    name = re.split(r"[\s;(]", plain, maxsplit=1)[0] or plain
    if name in IDENTITY or _MISSPELT.fullmatch(plain) or codec(plain):
        return (name if name in IDENTITY else "8bit"), ""
    return name, ""


def ambiguous_base64(raw: bytes, start: int, end: int) -> bool:
    """Whether there is more after the padding: some readers stop there, some go on."""
    padding = raw.find(b"=", start, end)
    return padding >= 0 and _SEXTET.search(raw, padding, end) is not None
