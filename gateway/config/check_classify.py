"""Checks of the `classify:` list: every entry can match, and gives a stream that has a rule.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  messages; how an entry is matched (`policy.classify`)
standard:   DESIGN §5; S-17, S-41; RFC 5322 3.6.8
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Classify, Organisation, When
from gateway.config.source import Loc
from gateway.decision import Stream

Finding = tuple[Loc, str]
Condition = tuple[str, object]

_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 3.6.8: printable ASCII but the colon
_RECIPIENTS = re.compile(r"(>=|<=|>|<|=)?\s*([0-9]{1,6})")
_ENDLESS = 10**9


def check_classify(settings: Organisation) -> Iterator[Finding]:
    """Streams have rules, conditions can be read, no entry hides behind an earlier one, every client has one."""
    for index, entry in enumerate(settings.classify):
        yield from _stream(settings, entry, ("classify", index))
        yield from _when(settings, entry.when, ("classify", index, "when"))
    for (_, earlier), (index, later) in combinations(enumerate(settings.classify), 2):
        if hides(earlier.when, later.when):
            yield (
                ("classify", index),
                f"can never match, entry {earlier.name!r} above it takes all its mail, expected narrower entries first",
            )
    for index, client in enumerate(settings.clients):
        if not any(e.when.client in (None, client.name) for e in settings.classify):
            yield ("clients", index), f"no classify entry for {client.name!r}, expected one: all its mail is refused"


def _stream(settings: Organisation, entry: Classify, loc: Loc) -> Iterator[Finding]:
    if entry.stream is Stream.UNCLASSIFIED:
        yield (*loc, "stream"), "is 'unclassified', expected a stream; mail without a match is refused anyway"
        return
    rule = settings.streams.get(entry.stream)
    if rule is None:
        yield (*loc, "stream"), f"no rule for stream {entry.stream.value!r}, expected it in streams"
    elif entry.basis is not None and entry.basis not in rule.basis:
        allowed = ", ".join(b.value for b in rule.basis)
        yield (*loc, "basis"), f"is {entry.basis.value}, expected one of the stream's own: {allowed} (S-41)"
    mark = entry.when.stream_mark
    if mark is not None and mark is not entry.stream:
        yield (*loc, "stream"), f"is {entry.stream.value}, but the mark says {mark.value}, expected the same"


def _when(settings: Organisation, when: When, loc: Loc) -> Iterator[Finding]:
    for name in when.header:
        if not _FIELD_NAME.fullmatch(name):
            yield (*loc, "header", name), f"{name!r} is no field name, expected printable ASCII without colon"
    if when.recipients is not None and recipient_range(when.recipients) is None:
        yield (*loc, "recipients"), f"is {when.recipients!r}, expected a number such as 1, >=2 or <5"
    if when.from_domain is not None and when.from_domain not in settings.by_domain:
        yield (*loc, "from_domain"), f"is {when.from_domain!r}, expected one of domains: nothing else may stand in From"
    if when.from_address is not None:
        yield from _from_address(settings, when.from_address, (*loc, "from_address"))
    for key in ("sender_tag", "list_id"):
        if getattr(when, key) == "":
            yield (*loc, key), "is empty, expected a value, or the key left out"


def _from_address(settings: Organisation, text: str, loc: Loc) -> Iterator[Finding]:
    try:
        domain = Address.parse(text).canonical_domain
    except InvalidAddress:
        domain = ""
    if domain not in settings.by_domain:
        yield loc, f"is {text!r}, expected an address in one of domains"


def hides(earlier: When, later: When) -> bool:
    """Whether every message that `later` takes is already taken by `earlier`."""
    if not _conditions(earlier) <= _conditions(later):
        return False
    outer, inner = recipient_range(earlier.recipients or ">=0"), recipient_range(later.recipients or ">=0")
    return outer is not None and inner is not None and outer[0] <= inner[0] and inner[1] <= outer[1]


def recipient_range(text: str) -> tuple[int, int] | None:
    """First and last number of recipients that "1", ">=2" or "<5" allows; None when it says nothing or cannot be."""
    match = _RECIPIENTS.fullmatch(text.strip())
    if match is None:
        return None
    number = int(match[2])
    first, last = {
        ">=": (number, _ENDLESS),
        ">": (number + 1, _ENDLESS),
        "<=": (0, number),
        "<": (0, number - 1),
    }.get(match[1] or "=", (number, number))
    return (first, last) if first <= last else None


def _conditions(when: When) -> frozenset[Condition]:
    """Everything `when` demands but the number of recipients; a value demands presence too, an address its domain."""
    found: set[Condition] = set()
    for key in ("client", "from_domain", "from_address", "sender_tag", "list_id", "stream_mark"):
        value = getattr(when, key)
        if value is not None:
            found.add((key, value.lower() if key in ("from_address", "list_id") else value))
    if when.from_address is not None:
        found.add(("from_domain", when.from_address.rpartition("@")[2].lower()))
    for name, text in when.header.items():
        found.add((f"header {name.lower()}", None))
        if text is not None:
            found.add((f"header {name.lower()}", text))
    return frozenset(found)
