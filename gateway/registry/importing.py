"""Reading a CSV file of blocks, consents and facts, line by line.

what:       columns by header → events; every address becomes a pseudonym at once
takes→gives: binary stream → one `Line` per row: an event, or what is wrong with it
knows not:  storage; how large the file is (one row at a time is in memory)
fails by:   `ImportRefused` for a file that cannot be read at all; a wrong row is a `Line` with an error
standard:   RFC 4180; S-03, L-09, I-7, I-10 (an import only ever adds)
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation
from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Pseudonyms
from gateway.registry.events import InvalidEvent, check
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.scopes import parse_scope

_LINE = 64 * 1024
_DELIMITERS = (",", ";", "\t")
_NEEDED = ("address", "kind")
_EVIDENCE = ("scope", "at", "actor", "channel", "wording", "proof")
_DETAIL = ("reference", "category", "declined", "end", "topic", "id", "minor", "guardian", "language", "active")
COLUMNS = (*_NEEDED, *_EVIDENCE, *_DETAIL)

# An import adds; lifting takes a person or a named operator (I-10).
_NEVER = frozenset({EventKind.LIFTED, EventKind.RESTRICTION_LIFTED})
_DATED = frozenset({EventKind.CONSENT, EventKind.REQUEST})
_KINDS = {kind.value.removeprefix("fact-"): kind for kind in EventKind if kind not in _NEVER}
_FLAGS = {"yes": True, "true": True, "1": True, "ja": True, "no": False, "false": False, "0": False, "nee": False}

_Value = str | int | bool | None


class ImportRefused(ValueError):
    """The file cannot be imported; the text begins with the line."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import needs besides the file. `name` says which import it is; `now` is Unix seconds."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    name: str
    now: int


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `error` is empty when there is an event; it never repeats what the row holds."""

    number: int
    event: Event | None
    error: str = ""


def read(stream: BinaryIO, terms: Terms) -> Iterator[Line]:
    """Every row that is not empty, in order. Comma, semicolon or tab, by the header; UTF-8 with or without BOM."""
    texts = _texts(stream)
    header = next(texts, "")
    delimiter, names = _header(header)
    rows = csv.reader(texts, delimiter=delimiter, strict=True)
    while True:
        number = rows.line_num + 2
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, None, f"not readable as CSV: {error}")
            continue
        if any(cell.strip() for cell in cells):
            yield _line(number, names, cells, terms)


def _texts(stream: BinaryIO) -> Iterator[str]:
    number = 0
    while octets := stream.readline(_LINE):
        number += 1
        if number == 1 and octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ImportRefused("line 1: the file is UTF-16; save it as CSV UTF-8")
        if len(octets) == _LINE:
            raise ImportRefused(f"line {number}: longer than {_LINE} octets")
        # What is not UTF-8 becomes surrogates here and an error of its own row below.
        yield octets.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")


def _header(text: str) -> tuple[str, list[str]]:
    candidates = {d: [n.strip().strip('"').lower() for n in text.strip().split(d)] for d in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda d: sum(name in COLUMNS for name in candidates[d]))
    names = candidates[delimiter]
    unknown = [n for n in names if n not in COLUMNS]
    if unknown:
        raise ImportRefused(f"line 1: {len(unknown)} unknown column(s); expected a header of {', '.join(COLUMNS)}")
    for needed in _NEEDED:
        if needed not in names:
            raise ImportRefused(f"line 1: no column {needed!r}; expected a header of {', '.join(COLUMNS)}")
    if len(set(names)) != len(names):
        raise ImportRefused("line 1: a column is named twice")
    return delimiter, names


def _line(number: int, names: list[str], cells: list[str], terms: Terms) -> Line:
    try:
        if any("\ud800" <= char <= "\udfff" for cell in cells for char in cell):
            raise ValueError("not UTF-8 (Latin-1 or Windows-1252?); save the file as CSV UTF-8")
        if len(cells) != len(names):
            raise ValueError(f"{len(cells)} columns; expected {len(names)}")
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}
        event = _event(row, terms)
        check(event)
    except (ValueError, InvalidEvent) as error:
        return Line(number, None, str(error))
    return Line(number, event)


def _event(row: Mapping[str, str], terms: Terms) -> Event:
    kind = _kind(row.get("kind", ""))
    if kind in _DATED and "at" not in row:
        raise ValueError(f"at: a {kind} needs its time")
    at = _moment(row["at"], "at", terms) if "at" in row else terms.now
    if at > terms.now:
        raise ValueError("at: in the future")
    return Event(
        kind=kind,
        person=terms.pseudonyms.person(_address(row.get("address", ""))),
        at=at,
        evidence=Evidence(f"import:{terms.name}", row.get("channel", ""), row.get("wording", ""), row.get("proof", "")),
        scope=_scope(row, kind, terms.organisation),
        detail=_detail(row, terms),
    )


def _kind(text: str) -> EventKind:
    kind = _KINDS.get(text.lower().removeprefix("fact-"))
    if kind is None:
        raise ValueError(f"kind: expected one of {', '.join(_KINDS)}")
    return kind


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress:
        raise ValueError("address: not one usable mail address") from None


def _scope(row: Mapping[str, str], kind: EventKind, organisation: Organisation) -> Scope | None:
    try:
        if kind is EventKind.REQUEST and "topic" in row:
            return Scope(ScopeKind.TOPIC, _id(row["topic"], organisation.topic_ids))
        return parse_scope(row["scope"], organisation) if "scope" in row else None
    except ValueError as error:
        raise ValueError(f"scope: {error}") from None


def _detail(row: Mapping[str, str], terms: Terms) -> dict[str, _Value]:
    readers: Mapping[str, Callable[[str], _Value]] = {
        "reference": str,
        "id": str,
        "language": _language,
        "category": lambda text: _id(text, terms.organisation.category_ids),
        "end": lambda text: _moment(text, "end", terms),
        "declined": _flag,
        "minor": _flag,
        "guardian": _flag,
        "active": _flag,
    }
    detail: dict[str, _Value] = {"by": row["actor"]} if "actor" in row else {}
    for name, reader in readers.items():
        if name in row:
            try:
                detail[name] = reader(row[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
    return detail


def _id(text: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if text.isascii() and text.isdigit() and int(text) in names.values():
        return int(text)
    raise ValueError(f"expected a name or id from the settings: {', '.join(sorted(names)) or '(none there)'}")


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError("expected yes or no")
    return _FLAGS[text.lower()]


def _language(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError("expected two letters, as nl")
    return text.lower()


def _moment(text: str, name: str, terms: Terms) -> int:
    """Unix seconds from a number, or ISO 8601 in the organisation's own time where no zone is given."""
    if text.isascii() and text.isdigit() and len(text) > 8:
        return int(text[:18])
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(terms.organisation.time_zone))
        return int(moment.timestamp())
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: expected a date as 2026-01-31 or a time as 2026-01-31T09:30") from None
