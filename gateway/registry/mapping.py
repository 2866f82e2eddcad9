"""Which columns of another program's export say what: the mapping file of an import.

what:       strict YAML: encoding, delimiter, date patterns, the address column, and a list of events per row
takes→gives: octets of the file → `Mapping`; constants in it are read and checked at once
knows not:  rows
fails by:   `MappingRefused` with every error as `file:line: dotted.key: what is wrong, what is expected`
standard:   S-03, L-09 (where an import's evidence comes from is written down, not guessed)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from gateway.config.base import Settings
from gateway.config.complaint import complaint
from gateway.config.organisation import Organisation
from gateway.config.source import Loc, Source, read
from gateway.registry.columns import COLUMNS, ISO, UNIX, Columns, check_date
from gateway.registry.rows import Delimiter, Dialect, Encoding


class MappingRefused(ValueError):
    """`errors`: one line each, in the order of the file."""

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else value


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _date(value: Any) -> Any:
    check_date(value if isinstance(value, str) else "")
    return value


Text = Annotated[str, BeforeValidator(_text)]


class Cell(Settings):
    """A value that is read from a column of the file."""

    column: str
    """Its name in the file's header; case does not matter."""
    values: dict[Text, Text] = Field(default={})
    """What the file says → what we say; a value that is not here is an error of its row."""
    empty: Text = ""
    """What an empty cell means; default: nothing."""

    @property
    def constant(self) -> bool:
        """Whether it was written as a plain value: no column, always the same."""
        return not self.column


def _part(value: Any) -> Any:
    written = _text(value)
    return {"column": "", "empty": written} if isinstance(written, str) else value


class Condition(Settings):
    """When an event is made of a row: with neither `equals` nor `differs`, when the column is not empty."""

    column: str
    """Its name in the file's header."""
    equals: Annotated[tuple[Text, ...], BeforeValidator(_several)] = ()
    """One of these, case aside."""
    differs: Annotated[tuple[Text, ...], BeforeValidator(_several)] = ()
    """None of these, case aside; "" is an empty cell."""


Part = Annotated[Cell | None, BeforeValidator(_part)]


class EventMap(Settings):
    """One event that a row can hold. Each value is a constant, or a mapping with `column:`."""

    name: str = ""
    """Shown in errors."""
    when: Annotated[tuple[Condition, ...], BeforeValidator(_several)] = ()
    """All must hold; without any, every row holds this event."""
    kind: Annotated[Cell, BeforeValidator(_part)]
    """Kind of event."""
    scope: Part = None
    """What a consent or block is for."""
    topic: Part = None
    """The topic of a request."""
    at: Part = None
    """When it happened."""
    actor: Part = None
    """Who recorded it in the other program; a note."""
    channel: Part = None
    """How the person said it."""
    wording: Part = None
    """Version of the text agreed to."""
    proof: Part = None
    """Where the proof is kept."""
    reference: Part = None
    """Order, training, policy version."""
    category: Part = None
    """Category of a purchase or subscription."""
    declined: Part = None
    """Whether offers were declined at the purchase."""
    end: Part = None
    """End of a subscription."""
    free: Part = None
    """Whether the subscription is free."""
    id: Part = None
    """Id of a publication consent or of something retained."""
    minor: Part = None
    """Whether the person is a minor."""
    guardian: Part = None
    """Whether the guardian agreed."""
    language: Part = None
    """Two letters."""
    active: Part = None
    """No: it ended."""
    client: Part = None
    """The client whose id of this person `contact` is."""
    contact: Part = None
    """The client's own id of this person."""
    origin: Part = None
    """How the address came here."""
    third_party: Part = None
    """Third party of an order, or who got data."""
    message: Part = None
    """Reference of the mail."""
    purpose: Part = None
    """Why data was shared."""
    ground: Part = None
    """On which ground data was shared."""
    receipt: Part = None
    """Kind of receipt."""
    reason: Part = None
    """Why the law keeps it."""
    until: Part = None
    """Until when the law keeps it."""

    def parts(self) -> dict[str, Cell]:
        """The values that are given, by our column."""
        found = {name: getattr(self, name) for name in COLUMNS if name != "address"}
        return {name: part for name, part in found.items() if part is not None}


class Mapping(Settings):
    """How a file is written and what its columns say."""

    encoding: Encoding | None = None
    """Default: UTF-8, or UTF-16 where the file begins with its mark."""
    delimiter: Delimiter | None = None
    """Default: found from the header."""
    dates: tuple[Annotated[str, BeforeValidator(_date)], ...] = (ISO, UNIX)
    """How times are written; the first that fits counts."""
    address: str
    """The column of the address."""
    events: tuple[EventMap, ...]
    """What each row can hold. Those of one row are stored in the order of their times."""

    @property
    def dialect(self) -> Dialect:
        return Dialect(self.encoding or "", self.delimiter or "")


def load_mapping(file: str, octets: bytes, organisation: Organisation) -> Mapping:
    """Read and check a mapping file. Raises `MappingRefused`."""
    source = read(file, octets)
    if source.errors or source.data is None:
        raise MappingRefused(list(source.errors))
    try:
        mapping = Mapping.model_validate(source.data)
    except ValidationError as error:
        raise MappingRefused(_complaints(error, source)) from None
    wrong = [source.complain(loc, text) for loc, text in _findings(mapping, organisation)]
    if wrong:
        raise MappingRefused(wrong)
    return mapping


def own_columns(header: list[str]) -> Mapping:
    """The mapping of a file that has our own columns."""
    named = {name.lower(): Cell(column=name) for name in header if name.lower() in COLUMNS}
    address = named.pop("address")
    return Mapping(address=address.column, events=(EventMap.model_validate({"name": "", **named}),))


def _complaints(error: ValidationError, source: Source) -> list[str]:
    found = [complaint(details, Mapping, source) for details in error.errors(include_url=False)]
    ordered = sorted(found, key=lambda item: source.line(item[0]))
    return list(dict.fromkeys(source.complain(loc, text) for loc, text in ordered))


def _findings(mapping: Mapping, organisation: Organisation) -> Iterator[tuple[Loc, str]]:
    """What only shows over several keys, and values that stand in the mapping itself, read as a row's would be."""
    for name in ("dates", "events"):
        if not getattr(mapping, name):
            yield (name,), "is empty, expected at least one"
    if not mapping.address.strip():
        yield ("address",), "is empty, expected the name of a column"
    columns = Columns(organisation, (ISO, UNIX, *mapping.dates))
    for number, event in enumerate(mapping.events):
        for name, part in event.parts().items():
            for loc, text in _said(part):
                try:
                    _read(columns, name, text)
                except ValueError as error:
                    yield ("events", number, name, *loc), str(error)


def _said(part: Cell) -> Iterator[tuple[Loc, str]]:
    yield from ((("values", key), text) for key, text in part.values.items() if text)
    if part.empty:
        yield () if part.constant else ("empty",), part.empty


def _read(columns: Columns, name: str, text: str) -> object:
    readers = {"kind": columns.kind, "scope": columns.scope, "topic": columns.topic, "at": columns.moment}
    reader = readers.get(name)
    if reader is not None:
        return reader(text)
    if "@" in text:
        raise ValueError("looks like an address, expected text without one")
    return columns.detail(name, text)
