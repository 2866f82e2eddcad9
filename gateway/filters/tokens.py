"""Address-like tokens in a text, whatever stands around them.

what:       every "@" with something like a local part before it and a domain after it
takes→gives: text → `Token` values (an address, and whether it counts as one for sure)
knows not:  where the text stood, whose address it is
fails by:   nothing
standard:   RFC 5321 4.1.2, RFC 6531 3.3; I-1. Linear: bounded work for each "@"
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from gateway.address import Address
from gateway.filters.encoded import embedded

_LOCAL = 64
_HEAD = _LOCAL + 4  # with what says that it is an id
_DOMAIN_LENGTH = 255
_STOPS = '\\s"(),:;<>@\\[\\]\\\\\\x00-\\x20\\x7f-\\x9f\ufffd'
_BEFORE = re.compile(f"(?s).*[{_STOPS}]")  # greedy: up to the last character that ends a local part
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{1,40}}|\[[0-9A-Za-z.:]{{3,60}}\]")
_AT = re.compile(f"@({_DOMAIN.pattern})")
_QUOTED = re.compile(r'"((?:[^"\\\r\n]|\\.){1,64})"\Z')
_SEPARATORS = re.compile(r"[/=?&|#]")
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9](?:[\w.+-]*[A-Za-z0-9])?", re.ASCII)  # nothing of what stands around it
_ASCII_END = re.compile(r"[!-~]+\Z")
_ASCII_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_MOST_LABELS = 8
_HEADS_KEPT = 10_000  # of one text, so that what is written again and again is read once
_WRAPPED = "'*_~`{}|!.-"
_IDS = ("cid:", "mid:")
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "css", "js", "woff", "woff2"})
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Characters that show nothing (soft hyphen, joiners, marks of direction, variation selectors), and wide forms of ASCII:
# mail programs link the address all the same.
_INVISIBLE = "\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
_DROPPED = re.compile(f"[{_INVISIBLE}]+")
_WIDE = {0xFE6B: "@", 0x3002: ".", 0xFF61: "."} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_IS_WIDE = re.compile("[\ufe6b\uff20]|@[^@\n]{0,200}?[\u3002\uff0e\uff61]")


class Token(NamedTuple):
    """`sure` is False for a second reading of the same characters, an id or a file name: those match people but do not
    count as unknown addresses."""

    address: Address
    sure: bool


def tokens(text: str) -> Iterator[Token]:
    """All readings of every "@" in `text`, percent-encoded ones included."""
    text = plain(text)
    heads: set[str] = set()
    for _ in range(3):  # an address in a redirect's parameter may be encoded twice
        yield from _plain(text, heads)
        if not _PERCENT.search(text):
            return
        following = _unquoted(text)
        if following == text:
            return
        text = following


def _unquoted(text: str) -> str:
    """`urllib.parse.unquote`, without work in Python for each octet: quoted-printable differs from it by its sign."""
    try:
        octets = _LONE_PERCENT.sub("%25", text).replace("=", "=3D").replace("%", "=").encode()
    except UnicodeEncodeError:  # half a pair of surrogates
        return unquote(text, errors="replace")
    return binascii.a2b_qp(octets).decode("utf-8", "replace")


def plain(text: str) -> str:
    """The text without characters that show nothing, and in ASCII where an "@" or the dots behind it are wide ones."""
    if text.isascii():
        return text
    text = _DROPPED.sub("", text)
    return text.translate(_WIDE) if _IS_WIDE.search(text) else text


def _plain(text: str, heads: set[str]) -> Iterator[Token]:
    """`heads` are what stood around signs that were read before; nothing new follows from the same."""
    seen: set[tuple[str, str, bool]] = set()
    for found in _AT.finditer(text):
        at, end = found.span()
        around = text[at - _HEAD if at > _HEAD else 0 : end]
        if around in heads:
            continue
        if len(heads) < _HEADS_KEPT:
            heads.add(around)
        domain = found[1]
        if len(domain) > _DOMAIN_LENGTH:
            shorter = _DOMAIN.match(text, at + 1, at + 1 + _DOMAIN_LENGTH)
            if shorter is None:
                continue
            domain = shorter[0]
        head = text[max(0, at - _HEAD) : at]
        if (read := _local(head)) is not None and (key := (read[0], domain, read[1])) not in seen:
            seen.add(key)
            yield from _found(*key)


def _found(local: str, domain: str, is_id: bool) -> Iterator[Token]:
    yield from _readings(local, domain, is_id)
    if "=" in local:
        yield from (Token(address, False) for address in embedded(local))


def _local(head: str) -> tuple[str, bool] | None:
    """What of the text before a sign is the local part, and whether it is the id of a `cid:` or `mid:` address."""
    if head.endswith('"') and (quoted := _QUOTED.search(head)):
        return quoted[0], False
    stop = _BEFORE.match(head)
    start = stop.end() if stop else 0
    local = head[start:][-_LOCAL:]
    return (local, head[max(0, start - 4) : start].lower() in _IDS) if local else None


def _readings(local: str, domain: str, is_id: bool) -> Iterator[Token]:
    sure = not is_id and _name_like(domain)
    for name in _locals(local):
        for place in _domains(domain):
            yield Token(Address(name, place), sure)
            sure = False


def _locals(local: str) -> Iterable[str]:
    """The likeliest first: what follows the last separator of a URL, without quotes or emphasis around it."""
    if _PLAIN_LOCAL.fullmatch(local) or local.startswith('"'):
        return (local,)
    last = _SEPARATORS.split(local)[-1] or local
    bare = last.strip(_WRAPPED) or last
    ascii_end = _ASCII_END.search(bare)  # scripts without spaces run into the address
    return dict.fromkeys((bare, last, local, ascii_end[0] if ascii_end else bare))


def _domains(domain: str) -> Iterable[str]:
    """The longest first, then shorter ones: a full stop without a space behind it, or a script without spaces."""
    plain = _ASCII_DOMAIN.match(domain)
    if plain and plain.end() == len(domain) and domain.count(".") == 1:
        return (domain,)
    labels = (plain[0] if plain else domain).split(".")
    shorter = (".".join(labels[:count]) for count in range(min(len(labels), _MOST_LABELS), 1, -1))
    return dict.fromkeys((domain, *shorter))


@lru_cache(maxsize=4096)
def _name_like(domain: str) -> bool:
    top = domain.rpartition(".")[2].lower()
    return domain.startswith("[") or (not top.isdigit() and len(top) > 1 and top not in _FILES)
