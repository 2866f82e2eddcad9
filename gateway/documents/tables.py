"""Rows of a table: which of their values make it a list of people.

what:       `Table`: takes rows, tells headings from data, finds columns that hold one kind
takes→gives: rows (`Text` with cells) → `Sight` values with `listed`
knows not:  where the table came from, what follows
fails by:   nothing; keeps a bounded number of values
standard:   S-11, S-53. Linear in the cells

A heading makes its column count from the first value on. Without headings, values of one kind must repeat down a
column; a cell as long as a paragraph is laid-out text, in which they must also stand close together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.documents import births, bsn
from gateway.documents.heads import Heads, heads, name_like, place
from gateway.documents.kinds import CELLS, find
from gateway.documents.protocol import TAB, Text
from gateway.inspection import MOST, Kind

_ANY = re.compile(r"[@\d]")
_WORTH = re.compile(r"@|\d\D{0,3}\d\D{0,3}\d\D{0,3}\d")
_REPEATS, _BESIDE_NAMES = 3, 2
_PARAGRAPH, _CLOSE = 200, 100  # characters of a cell that is laid-out text, and of it per value in a list
_ALWAYS = frozenset({Kind.BIRTH_DATE, Kind.BSN})  # no place has them
_PASS = 0.8  # share of nine-digit cells that must pass the eleven test: of other numbers one in eleven does
_FIRST_BIRTH, _LAST_BIRTH, _SPREAD = "1920", "2016", 5


class Sight(NamedTuple):
    """One value as it was seen. `where` for people."""

    kind: Kind
    value: str
    where: str
    listed: bool


@dataclass(slots=True)
class _Column:
    """Values of one kind in one column; `named`: those in rows with a person's name, `placed`: with a firm or place."""

    headed: bool
    seen: list[tuple[str, str]] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)

    def listed(self) -> bool:
        values = {value for value, _ in self.seen} - self.placed
        return self.headed or len(values) >= _REPEATS or len(self.named - self.placed) >= _BESIDE_NAMES


@dataclass(slots=True)
class Table:
    """One table at a time: a row of headings, or another width, begins the next."""

    heads: Heads | None = None
    width: int = -1
    kept: int = 0
    names: int = 0
    columns: dict[tuple[int, Kind], _Column] = field(default_factory=dict)
    nines: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    days: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def take(self, row: Text) -> Iterator[Sight]:
        """One row more; gives what the table before it held when this row begins another."""
        found = heads(row.cells, first=self.heads is None and len(row.cells) != self.width)
        if found is not None or (self.heads is None and len(row.cells) != self.width):
            yield from self.end()
            self.heads, self.width = found, len(row.cells)
        if found is None:
            self._data(row)

    def end(self) -> Iterator[Sight]:
        """What this table held."""
        self._judge_numbers()
        self._judge_days()
        places = self.heads is not None and not self.heads.people  # contact data of places are no person's
        for (_, kind), column in self.columns.items():
            listed = column.listed() and (not places or kind in _ALWAYS)
            yield from (Sight(kind, value, where, listed) for value, where in column.seen)
        self.heads, self.width, self.names = None, -1, 0
        self.columns, self.nines, self.days = {}, {}, {}

    def _data(self, row: Text) -> None:
        someone = any(name_like(cell) for cell in row.cells)
        self.names += someone
        if self.kept >= MOST or not (_WORTH if self.heads is None else _ANY).search(row.text):
            return
        about = _Row(row, someone, place(row.text))
        headed = dict(self._headed(about))
        found = list(find(row.text))
        dense = Counter((row.text.count(TAB, 0, at), kind) for kind, _, at in found)
        for kind, value, at in found:
            column = row.text.count(TAB, 0, at)
            about.place = about.firm or len(row.cells[column]) > max(_PARAGRAPH, _CLOSE * dense[column, kind])
            said = headed.get((column, kind))
            if said is None or (kind is Kind.EMAIL and said != value):
                self._keep(about, column, kind, value, at, headed=False)
        self._look_at_bare_numbers(row)

    def _headed(self, about: _Row) -> Iterator[tuple[tuple[int, Kind], str]]:
        if self.heads is None:
            return
        at = 0
        for column, cell in enumerate(about.row.cells):
            kind = self.heads.kind(column)
            if kind is not None and cell and (value := CELLS[kind](cell)):
                self._keep(about, column, kind, value, at, headed=self.heads.people)
                yield (column, kind), value
            at += len(cell) + 1

    def _keep(self, about: _Row, column: int, kind: Kind, value: str, at: int, *, headed: bool) -> None:
        found = self.columns.setdefault((column, kind), _Column(headed))
        found.seen.append((value, about.row.place(at)))
        self.kept += 1
        if about.someone:
            found.named.add(value)
        if about.place:
            found.placed.add(value)

    def _look_at_bare_numbers(self, row: Text) -> None:
        """Cells of columns without a heading that are nothing but nine digits, or a day."""
        at = 0
        for column, cell in enumerate(row.cells):
            if self.heads is None or not self.heads.named(column):
                if bsn.nine_digits(cell):
                    _append(self.nines, column, bsn.canonical(cell), row.place(at))
                elif day := births.cell(cell):
                    _append(self.days, column, day, row.place(at))
            at += len(cell) + 1

    def _judge_numbers(self) -> None:
        for column, cells in self.nines.items():
            passing = [(value, where) for value, where in cells if value]
            if len({v for v, _ in passing}) >= _REPEATS and len(passing) >= _PASS * len(cells):
                self.columns[column, Kind.BSN] = _Column(headed=True, seen=passing)

    def _judge_days(self) -> None:
        """A column of days beside names, far apart and long ago, without a heading."""
        for column, cells in self.days.items():
            years = {int(day[:4]) for day, _ in cells}
            past = all(_FIRST_BIRTH <= day[:4] <= _LAST_BIRTH for day, _ in cells)
            if self.names >= _REPEATS and len(years) >= _REPEATS and past and max(years) - min(years) >= _SPREAD:
                self.columns[column, Kind.BIRTH_DATE] = _Column(headed=True, seen=cells)


def _append(columns: dict[int, list[tuple[str, str]]], column: int, value: str, where: str) -> None:
    """A column is judged by its first cells."""
    cells = columns.setdefault(column, [])
    if len(cells) < MOST:
        cells.append((value, where))


@dataclass(slots=True)
class _Row:
    row: Text
    someone: bool
    firm: bool
    place: bool = False
