"""Reading a CSV file of blocks, consents and facts, row by row.

what:       columns, by a mapping or by our own names → events; every address becomes a pseudonym at once
takes→gives: binary stream → `Line` values: each an event, or what is wrong with the row and in which column
knows not:  storage; how large the file is (one row at a time is in memory)
fails by:   `ImportRefused` for a file that cannot be read at all; a wrong row is a `Line` that says why
standard:   RFC 4180; S-03, L-09, I-7, I-10 (an import only ever adds)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import rows
from gateway.registry.columns import COLUMNS, Columns
from gateway.registry.events import BLOCKS
from gateway.registry.mapping import Mapping, own_columns
from gateway.registry.planning import Plan, Wrong, plans_of
from gateway.registry.protocol import Event
from gateway.registry.rows import Dialect, ImportRefused, Row

__all__ = ["COLUMNS", "ImportRefused", "Line", "Terms", "read"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import needs besides the file. `name` says which import it is; `now` is Unix seconds.

    `mapping` None: the file has our own columns, written in `dialect`. `actor` acts where it is not the import itself.
    """

    organisation: Organisation
    pseudonyms: Pseudonyms
    name: str
    now: int
    mapping: Mapping | None = None
    dialect: Dialect = field(default_factory=Dialect)
    actor: str = ""

    @property
    def who(self) -> str:
        return self.actor or f"import:{self.name}"


class Line(NamedTuple):
    """One event of the row that begins in line `number`, or what is wrong with it; that never repeats what it holds.

    `dated`: the file says when it happened, else the event has the time of the import.
    """

    number: int
    event: Event | None
    column: str = ""
    what: str = ""
    dated: bool = True

    @property
    def error(self) -> str:
        """Empty when there is an event."""
        return f"{self.column}: {self.what}" if self.column else self.what


def read(stream: BinaryIO, terms: Terms) -> Iterator[Line]:
    """Every event and every wrong row, in order. A row whose one part is wrong gives only its blocks besides."""
    mapping = terms.mapping
    wanted = set(COLUMNS) if mapping is None else _named(mapping)
    table = rows.open_table(stream, terms.dialect if mapping is None else mapping.dialect, wanted)
    if mapping is None:
        _only_ours(table.header)
    reading = _Reading(table.header, mapping or own_columns(table.header), terms)
    for row in table:
        if row.what:
            yield Line(row.number, None, row.column, row.what)
        else:
            yield from reading.lines(row)


def _named(mapping: Mapping) -> set[str]:
    cells = [cell.column for event in mapping.events for cell in event.parts().values()]
    conditions = [condition.column for event in mapping.events for condition in event.when]
    return {name.strip().lower() for name in (mapping.address, *cells, *conditions) if name}


def _only_ours(header: list[str]) -> None:
    names = [name.lower() for name in header]
    unknown = [n for n in names if n not in COLUMNS]
    if unknown:
        raise ImportRefused(f"line 1: {len(unknown)} unknown column(s); expected a header of {', '.join(COLUMNS)}")
    for needed in ("address", "kind"):
        if needed not in names:
            raise ImportRefused(f"line 1: no column {needed!r}; expected a header of {', '.join(COLUMNS)}")


class _Reading:
    """One file's plans, and the people of its rows."""

    def __init__(self, header: list[str], mapping: Mapping, terms: Terms) -> None:
        columns = Columns(terms.organisation, mapping.dates)
        self._place, self._plans = plans_of(header, mapping, columns, terms.who, terms.now, own=terms.mapping is None)
        self._column = header[self._place]
        self._pseudonyms = terms.pseudonyms

    def lines(self, row: Row) -> list[Line]:
        """What one row gives. All its events have one person; the earliest comes first, as it happened."""
        number, cells = row.number, row.cells
        plans = [plan for plan in self._plans if plan.holds(cells)]
        if not plans:
            return []
        try:
            person = self._person(cells[self._place].strip())
        except InvalidAddress:
            return [Line(number, None, self._column, "not one usable mail address, expected name@domain")]
        if len(plans) == 1:
            return [_line(number, plans[0], cells, person)]
        return _together([_line(number, plan, cells, person) for plan in plans])

    def _person(self, text: str) -> Person:
        return self._pseudonyms.person(Address.parse(text))


def _line(number: int, plan: Plan, cells: list[str], person: Person) -> Line:
    try:
        event, dated = plan.event(cells, person)
    except Wrong as wrong:
        return Line(number, None, wrong.column, wrong.what)
    return Line(number, event, dated=dated)


def _together(found: list[Line]) -> list[Line]:
    """A consent beside an opt-out that could not be read would be a consent of somebody who said no."""
    wrong = [line for line in found if line.event is None]
    good = [line for line in found if line.event is not None and (not wrong or line.event.kind in BLOCKS)]
    return [*sorted(good, key=lambda line: line.event.at if line.event else 0), *wrong]
