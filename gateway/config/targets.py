"""Where a link that counts clicks leads, read out of the link itself.

what:       an address written inside another one: percent-encoded, base64, hexadecimal, compressed, in JSON, or as
            the two mail filters write it that spell addresses their own way
takes→gives: text of a path segment, a parameter or a fragment → address, or ""
knows not:  which links count clicks
fails by:   nothing: what does not read as one http address is ""
standard:   R-060; RFC 4648 4 and 5; RFC 1950, 1952
"""

from __future__ import annotations

import binascii
import json
import re
import zlib
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import unquote

MAX_TEXT = 8192
"""Characters looked at, and octets that something compressed may grow to."""
_DEPTH = 4
_OCTETS = "latin-1"
"""Addresses are one character per octet throughout, as values of HTML come."""
_HTTP = re.compile(r"https?:/{1,2}(?=[^/])", re.IGNORECASE)
_WHOLE = re.compile(r"https?://[\w.\x80-\xff-]+(?::\d{1,5})?(?:[/?#][^\x00-\x1f\x7f]*)?", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,3}")
_BASE64_STARTS = ("aHR0c", "eyJ", "eyI", "eJ", "eA", "eN", "H4sI")
"""http, JSON, zlib at its three levels, gzip."""
_HEX = re.compile(r"(?:68747470[0-9a-f]{8,})", re.IGNORECASE)
_DASHED = re.compile(r"https?-3A_{1,2}", re.IGNORECASE)
_UNDERSCORED = re.compile(r"__(.+?)__;([A-Za-z0-9_-]*)", re.DOTALL)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?=[/?#]|$)", re.IGNORECASE)
_FIELDS = ("url", "href", "target", "link", "l", "u", "redirect", "destination", "p")


def decoded(text: str) -> str:
    """The http address that `text` holds, decoded; "" when it holds none, or more than that."""
    if len(text) > MAX_TEXT:
        return ""
    for _ in range(3):
        if found := _plain(text) or _spelled(text) or packed(text):
            return found
        if "%" not in text:
            break
        text = unquote(text, _OCTETS)
    return ""


def hosted(text: str) -> str:
    """The same for an address written without its beginning, `www.example.org/a`, which is then read as https."""
    text = unquote(text, _OCTETS)
    return decoded(text) or (_plain(f"https://{text}") if _HOST.match(text) else "")


def packed(text: str) -> str:
    """The address behind base64, hexadecimal digits or compression; "" for what is written plainly."""
    if text.startswith(_BASE64_STARTS) and _BASE64.match(text):
        return _of_octets(_from_base64(text), _DEPTH)
    if _HEX.fullmatch(text):
        return _plain(bytes.fromhex(text[: len(text) & ~1]).decode(_OCTETS))
    return ""


def _plain(text: str) -> str:
    start = _HTTP.match(text)
    if start is None:
        return ""
    text = f"{start[0].rstrip('/')}//{text[start.end() :]}"
    return text if _WHOLE.fullmatch(text) else ""


def _spelled(text: str) -> str:
    if _DASHED.match(text):
        return _plain(unquote(text.replace("-", "%").replace("_", "/"), _OCTETS))
    found = _UNDERSCORED.match(text)
    return _starred(found[1], found[2]) if found is not None else ""


def _starred(address: str, letters: str) -> str:
    """Each `*` stands for the next of `letters`; a run of them, `**`, is not understood."""
    if "*" not in address:
        return _plain(address)
    instead = iter(_from_base64(letters).decode(_OCTETS))
    if "**" in address:
        return ""
    return _plain("".join(next(instead, "\0") if letter == "*" else letter for letter in address))


def _from_base64(text: str) -> bytes:
    found = _BASE64.match(text)
    if found is None:
        # Short lists of letters come without padding, and shorter than any address.
        found = re.fullmatch(r"[A-Za-z0-9_-]{0,12}", text)
    body = found[0].rstrip("=").replace("+", "-").replace("/", "_") if found else ""
    try:
        return urlsafe_b64decode(body[: len(body) - (len(body) % 4 == 1)] + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return b""


def _of_octets(octets: bytes, depth: int) -> str:
    if octets[:1] == b"\x78" or octets[:2] == b"\x1f\x8b":
        octets = _inflated(octets)
    text = octets.decode(_OCTETS)
    if text[:1] == "{" and depth:
        return _of_json(text, depth)
    return _plain(text.partition("\0")[0])


def _inflated(octets: bytes) -> bytes:
    try:
        whole = zlib.decompressobj(zlib.MAX_WBITS | 32)
        found = whole.decompress(octets, MAX_TEXT)
        return b"" if whole.unconsumed_tail else found
    except zlib.error:
        return b""


def _of_json(text: str, depth: int) -> str:
    try:
        data: Any = json.loads(text.encode(_OCTETS))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(data, dict):
        return ""
    for name in _FIELDS:
        value = data.get(name)
        octets = value.encode("utf-8", "replace").decode(_OCTETS) if isinstance(value, str) else ""
        if found := _plain(octets) or (_of_json(octets, depth - 1) if octets and depth > 1 else ""):
            return found
    return ""
