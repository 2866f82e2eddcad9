"""Address-like tokens in a text, whatever stands around them.

what:       every "@" with something like a local part before it and a domain after it
takes→gives: text → `Token` values (an address, and whether it counts as one for sure)
knows not:  where the text stood, whose address it is
fails by:   nothing
standard:   RFC 5321 4.1.2, RFC 6531 3.3; I-1. Linear: bounded work for each "@"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from gateway.address import Address

_LOCAL = 64
_DOMAIN_LENGTH = 255
_STOPS = '\\s"(),:;<>@\\[\\]\\\\\\x00-\\x20\\x7f-\\x9f\ufffd'
_BEFORE = re.compile(f"(?s).*[{_STOPS}]")  # greedy: up to the last character that ends a local part
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{1,40}}|\[[0-9A-Za-z.:]{{3,60}}\]")
_QUOTED = re.compile(r'"((?:[^"\\\r\n]|\\.){1,64})"\Z')
_SEPARATORS = re.compile(r"[/=?&|#]")
_PLAIN_LOCAL = re.compile(r"[^\W_](?:[\w.+-]*[^\W_])?")  # nothing that could belong to what stands around it
_WRAPPED = "'*_~`{}|!.-"
_IDS = ("cid:", "mid:")
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "css", "js", "woff", "woff2"})
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
# Characters that show nothing, and other forms of the sign itself.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff")) | dict.fromkeys(
    map(ord, "\uff20\ufe6b"), "@"
)
_HAS_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff\uff20\ufe6b]")


class Token(NamedTuple):
    """`sure` is False for a second reading of the same characters, an id or a file name: those match people but do not
    count as unknown addresses."""

    address: Address
    sure: bool


def tokens(text: str) -> Iterator[Token]:
    """All readings of every "@" in `text`, percent-encoded ones included."""
    if _HAS_INVISIBLE.search(text):
        text = text.translate(_INVISIBLE)
    for _ in range(3):  # an address in a redirect's parameter may be encoded twice
        yield from _plain(text)
        if not _PERCENT.search(text):
            return
        following = unquote(text, errors="replace")
        if following == text:
            return
        text = following


def _plain(text: str) -> Iterator[Token]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1, at + 1 + _DOMAIN_LENGTH)
        if domain is not None:
            yield from _readings(text, at, domain[0])
        at = text.find("@", at + 1)


def _readings(text: str, at: int, domain: str) -> Iterator[Token]:
    head = text[max(0, at - _LOCAL - 4) : at]
    if head.endswith('"') and (quoted := _QUOTED.search(head)):
        yield Token(Address(quoted[0], domain), True)
        return
    stop = _BEFORE.match(head)
    before = stop[0] if stop else ""
    local = head[len(before) :][-_LOCAL:]
    if not local:
        return
    named = before[-4:].lower() not in _IDS and _name_like(domain)
    first = True
    for reading in _locals(local):
        yield Token(Address(reading, domain), first and named)
        first = False


def _locals(local: str) -> Iterator[str]:
    """The likeliest first: what follows the last separator of a URL, without quotes or emphasis around it."""
    if _PLAIN_LOCAL.fullmatch(local):
        return iter((local,))
    last = _SEPARATORS.split(local)[-1] or local
    bare = last.strip(_WRAPPED) or last
    return iter(dict.fromkeys((bare, last, local)))


def _name_like(domain: str) -> bool:
    top = domain.rpartition(".")[2].lower()
    return domain.startswith("[") or (not top.isdigit() and len(top) > 1 and top not in _FILES)
