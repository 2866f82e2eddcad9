"""The `Briefgeheim-*` marks: how a mail says what it is.

what:       the known marks, and strict reading of each kind of value
takes→gives: decoded header values → names, ids, yes/no; or `BadMark`
knows not:  clients, recipients, facts, how the marks are used
fails by:   `BadMark`, which names the mark and what was expected and never repeats the value
standard:   DESIGN §5; S-17, S-19, S-20, S-41, S-43, S-49
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PREFIX = "briefgeheim-"
STREAM = "briefgeheim-stream"
BASIS = "briefgeheim-basis"
LIST = "briefgeheim-list"
TOPIC = "briefgeheim-topic"
OFFER = "briefgeheim-offer"
REFERENCE = "briefgeheim-reference"
CONTACT = "briefgeheim-contact"
CAMPAIGN = "briefgeheim-campaign"
ABOUT = "briefgeheim-about"
SHARED_WITH = "briefgeheim-shared-with"
PUBLICATION = "briefgeheim-publication"
SEGMENT = "briefgeheim-segment"
SENSITIVE = "briefgeheim-sensitive"
READY = "briefgeheim-ready"
IDENTIFIED = "briefgeheim-identified"

KNOWN = frozenset(
    {
        STREAM,
        BASIS,
        LIST,
        TOPIC,
        OFFER,
        REFERENCE,
        CONTACT,
        CAMPAIGN,
        ABOUT,
        SHARED_WITH,
        PUBLICATION,
        SEGMENT,
        SENSITIVE,
        READY,
        IDENTIFIED,
    }
)

_YES_NO = {"yes": True, "no": False}
_OFFER = re.compile(r"(similar|related)(?:\s+|\s*;\s*category\s*=\s*)([A-Za-z0-9_-]{1,64})", re.IGNORECASE)
_LIST_ID = re.compile(r"<([^<>]*)>")
_PLAIN_NAME = re.compile(r"[a-z-]{1,40}")  # a field name may hold "@" (RFC 5322 3.6.8), a reply may not
_ID_LENGTH = 128
_IDS = 50  # ids in one mark

Headers = Mapping[str, tuple[str, ...]]


class BadMark(ValueError):
    """A mark is missing, there twice, or not what it may be. The text is fit for a reply."""


def written(mark: str) -> str:
    """The mark as people write it: `Briefgeheim-Shared-With`."""
    return "-".join(word.capitalize() for word in mark.split("-"))


def one(headers: Headers, mark: str) -> str:
    """The only value of a mark, stripped; "" when it is absent. A mark given twice says two things, so it says none."""
    values = headers.get(mark, ())
    if len(values) > 1:
        raise BadMark(f"{written(mark)} twice, expected once")
    value = values[0].strip() if values else ""
    if values and not value:
        raise BadMark(f"{written(mark)} is empty, expected a value")
    return value


def unknown(headers: Headers) -> str:
    """A mark that is none of ours (a typing error must not weaken a rule), fit for a reply; "" when all are known."""
    stray = next((n for n in sorted(headers) if n.startswith(PREFIX) and n not in KNOWN), "")
    return written(stray) if not stray or _PLAIN_NAME.fullmatch(stray) else "A Briefgeheim- mark"


def choice(headers: Headers, mark: str, allowed: Iterable[str]) -> str:
    """A value out of `allowed` (lower case), or "" when the mark is absent."""
    value = one(headers, mark).lower()
    expected = tuple(allowed)
    if value and value not in expected:
        raise BadMark(f"{written(mark)}: expected {either(expected)}")
    return value


def yes_no(headers: Headers, mark: str) -> bool | None:
    """yes or no; None when the mark is absent."""
    value = choice(headers, mark, _YES_NO)
    return _YES_NO[value] if value else None


def opaque_id(headers: Headers, mark: str) -> str:
    """An id of the client's own. It is stored in clear, so nothing that could be an address passes (I-7)."""
    value = one(headers, mark)
    if value and not _opaque(value):
        raise BadMark(f"{written(mark)}: expected an id of at most {_ID_LENGTH} characters, no space, no @")
    return value


def opaque_ids(headers: Headers, mark: str) -> str:
    """Several ids of the client's own, with commas between them; "" when the mark is absent or says no.

    `yes` says that there should be one, and stays as it is: what it means is up to the rule.
    """
    value = one(headers, mark)
    if value.lower() in _YES_NO:
        return "yes" if _YES_NO[value.lower()] else ""
    ids = [item.strip() for item in value.split(",")] if value else []
    if len(ids) > _IDS or not all(_opaque(item) for item in ids):
        raise BadMark(f"{written(mark)}: expected ids with commas between them, at most {_IDS}")
    return ",".join(dict.fromkeys(ids))


def numbered(headers: Headers, mark: str, ids: Mapping[str, int], retired: frozenset[int] = frozenset()) -> int:
    """The numeric id behind a name, or behind the id itself; 0 when the mark is absent."""
    return _number(one(headers, mark), mark, ids, retired)


def offer(headers: Headers, ids: Mapping[str, int], retired: frozenset[int] = frozenset()) -> tuple[str, int]:
    """`similar CATEGORY` or `related CATEGORY` → kind and category id; ("", 0) when the mark is absent."""
    value = one(headers, OFFER)
    if not value:
        return "", 0
    match = _OFFER.fullmatch(value)
    if not match:
        raise BadMark(f"{written(OFFER)}: expected similar or related, and a category")
    return match[1].lower(), _number(match[2], OFFER, ids, retired)


def list_id(headers: Headers) -> str:
    """The identifier of a List-Id field (RFC 2919 2), lower case, or ""."""
    values = headers.get("list-id", ())
    if len(values) != 1:
        return ""
    found = _LIST_ID.findall(values[0])
    return (found[-1] if found else values[0]).strip().lower()


def either(names: Iterable[str]) -> str:
    """Names joined for a sentence."""
    return ", ".join(names) or "nothing here"


def _opaque(value: str) -> bool:
    return 0 < len(value) <= _ID_LENGTH and "@" not in value and " " not in value and value.isprintable()


def _number(value: str, mark: str, ids: Mapping[str, int], retired: frozenset[int]) -> int:
    if not value:
        return 0
    number = ids.get(value.lower(), 0)
    if not number and value.isascii() and value.isdigit() and len(value) <= 10:
        number = int(value) if int(value) in ids.values() else 0
    if not number or number in retired:
        usable = (name for name, known in ids.items() if known not in retired)
        raise BadMark(f"{written(mark)}: expected {either(usable)}")
    return number
