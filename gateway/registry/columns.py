"""What each column of an import may hold: texts of people → values of events.

what:       one reader per column, by the names of one organisation's settings
takes→gives: text of one cell → kind, scope, time, detail
knows not:  files, rows, addresses, who the person is
fails by:   `ValueError` that says what is expected and never repeats the text
standard:   S-03; I-10 (an import never lifts)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.config.organisation import Organisation
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind
from gateway.registry.scopes import parse_scope

# Columns that say what happened and by which evidence; all others are details of the event.
WHAT = ("kind", "scope", "topic", "at", "actor", "channel", "wording", "proof")
DETAIL = (
    *("reference", "category", "declined", "end", "free", "id", "minor", "guardian", "language", "active"),
    *("client", "contact", "origin", "third_party", "message", "purpose", "ground", "receipt", "reason", "until"),
)
COLUMNS = ("address", *WHAT, *DETAIL)

# An import adds; lifting takes a person or a named operator (I-10). A correction moves a whole person.
_NEVER = frozenset({EventKind.LIFTED, EventKind.RESTRICTION_LIFTED, EventKind.RECTIFIED})
KINDS = {kind.value.removeprefix("fact-"): kind for kind in EventKind if kind not in _NEVER}
# Without its own time these would be as new as the import.
DATED = frozenset({EventKind.CONSENT, EventKind.REQUEST, EventKind.PURCHASE, EventKind.SHARED, EventKind.RECEIPT})

_FLAGS = {"yes": True, "true": True, "1": True, "ja": True, "no": False, "false": False, "0": False, "nee": False}
_RENAMED = {"receipt": "kind"}  # column → detail, where the column's own name is taken
_DIRECTIVES = {"d": r"(?P<d>\d{1,2})", "m": r"(?P<m>\d{1,2})", "Y": r"(?P<Y>\d{4})"}
_DIRECTIVES |= {"H": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})"}
ISO, UNIX = "iso", "unix"
_DATE_WORDS = {ISO: "2026-01-31 or 2026-01-31T09:30", UNIX: "Unix seconds"}

Value = str | int | bool | None
_Moment = Callable[[str], datetime | int | None]


class Columns:
    """Readers for one organisation. `dates`: `iso`, `unix`, or patterns such as `%d-%m-%Y %H:%M`."""

    def __init__(self, organisation: Organisation, dates: Sequence[str] = (ISO, UNIX)) -> None:
        self._organisation = organisation
        self._zone = ZoneInfo(organisation.time_zone)
        self._dates = [_date_reader(pattern) for pattern in dates]
        self._dates_shown = " or ".join(_DATE_WORDS.get(d, d) for d in dates)
        self._details: Mapping[str, Callable[[str], Value]] = {
            "category": lambda text: _id(text, organisation.category_ids),
            "client": lambda text: _name(text, organisation.by_client),
            "third_party": lambda text: _name(text, organisation.by_third_party),
            "language": _language,
            "message": lambda text: int(text) if text.isascii() and text.isdigit() else text,
            **dict.fromkeys(("end", "until"), self.moment),
            **dict.fromkeys(("declined", "free", "minor", "guardian", "active"), _flag),
        }

    def kind(self, text: str) -> EventKind:
        kind = KINDS.get(text.lower().removeprefix("fact-"))
        if kind is None:
            raise ValueError(f"expected one of {', '.join(KINDS)}")
        return kind

    def scope(self, text: str) -> Scope:
        return parse_scope(text, self._organisation)

    def topic(self, text: str) -> Scope:
        return Scope(ScopeKind.TOPIC, _id(text, self._organisation.topic_ids))

    def moment(self, text: str) -> int:
        """Unix seconds; in the organisation's own time where no zone is given."""
        for read in self._dates:
            found = read(text)
            if isinstance(found, datetime):
                if found.tzinfo is None:
                    found = found.replace(tzinfo=self._zone)
                try:
                    return int(found.timestamp())
                except OverflowError:
                    break
            if found is not None:
                return found
        raise ValueError(f"expected a date as {self._dates_shown}")

    def detail(self, column: str, text: str) -> tuple[str, Value]:
        """Name and value of a detail."""
        read = self._details.get(column)
        return _RENAMED.get(column, column), read(text) if read else text


def column_of(detail: str) -> str:
    """The column that fills this detail."""
    return next((column for column, name in _RENAMED.items() if name == detail), detail)


def check_date(pattern: str) -> None:
    """Raises `ValueError` unless it is a pattern that `Columns` can read."""
    _date_reader(pattern)


def _date_reader(pattern: str) -> _Moment:
    if pattern == ISO:
        return _iso
    if pattern == UNIX:
        return lambda text: int(text[:18]) if text.isascii() and text.isdigit() and len(text) > 8 else None
    return _patterned(re.compile(_date_regex(pattern), re.ASCII))


def _date_regex(pattern: str) -> str:
    parts = re.split(r"%(.)", pattern)
    used = parts[1::2]
    if not set(used) <= set(_DIRECTIVES) or len(set(used)) != len(used) or not {"d", "m", "Y"} <= set(used):
        raise ValueError("expected iso, unix, or a pattern of %d, %m, %Y and perhaps %H, %M, %S, each once")
    return "".join(_DIRECTIVES[p] if n % 2 else re.escape(p) for n, p in enumerate(parts))


def _patterned(regex: re.Pattern[str]) -> _Moment:
    def read(text: str) -> datetime | None:
        found = regex.fullmatch(text)
        if found is None:
            return None
        given = {name: int(digits) for name, digits in found.groupdict().items()}
        try:
            return datetime(given["Y"], given["m"], given["d"], given.get("H", 0), given.get("M", 0), given.get("S", 0))
        except ValueError:
            return None

    return read


def _iso(text: str) -> datetime | None:
    # A number of eight digits would be read as a date without dashes; elsewhere it is an order or a phone.
    try:
        return datetime.fromisoformat(text) if "-" in text else None
    except ValueError:
        return None


def _id(text: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) in names.values():
        return int(text)
    raise ValueError(f"expected a name or id from the settings: {', '.join(sorted(names)) or '(none there)'}")


def _name(text: str, names: Mapping[str, object]) -> str:
    if text.lower() not in names:
        raise ValueError(f"expected a name from the settings: {', '.join(sorted(names)) or '(none there)'}")
    return text.lower()


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError("expected yes or no")
    return _FLAGS[text.lower()]


def _language(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError("expected two letters, as nl")
    return text.lower()
