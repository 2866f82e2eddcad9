"""How one event of a row is made, prepared once per file so that a row costs little.

what:       a mapping's event and a file's header → which cells are asked, and what their texts mean
takes→gives: the cells of a row and its person → `Event`
knows not:  files, addresses, storage
fails by:   `Wrong` with the column and what is expected; `ImportRefused` when the header lacks a column
standard:   S-03, S-19, I-10
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from gateway.facts import Scope
from gateway.pseudonym import Person
from gateway.registry import mapping as mappings
from gateway.registry.columns import DATED, DETAIL, Columns, Value, column_of
from gateway.registry.events import ATTESTED, InvalidEvent, check, details_of
from gateway.registry.mapping import Cell, Condition, EventMap
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.rows import ImportRefused

_MEMORY = 4096  # texts of one kind that are remembered; a file repeats few of them, or all are different
_LONG = 400  # a text below it, without an at sign and printable, passes every check of texts
SOMEBODY = Person(b"\0" * 32, b"\0" * 32)
_K = TypeVar("_K")
_T = TypeVar("_T")


class Wrong(ValueError):
    """What is wrong with one column of a row; it never repeats what the row holds."""

    def __init__(self, column: str, what: str) -> None:
        self.column = column
        self.what = what
        super().__init__(f"{column}: {what}")


@dataclass(frozen=True, slots=True)
class _Shape:
    """All of an event but person, time and proof."""

    kind: EventKind
    scope: Scope | None
    channel: str
    wording: str
    detail: Mapping[str, Value]


def plans_of(
    header: list[str], mapping: mappings.Mapping, columns: Columns, actor: str, now: int, *, own: bool
) -> tuple[int, list[Plan]]:
    """Where the address stands, and one plan per event. Raises `ImportRefused` when a column is missing or doubled."""
    names = [name.lower() for name in header]

    def place(column: str) -> int:
        name = column.strip().lower()
        if name not in names:
            raise ImportRefused(f"line 1: no column {column!r}, expected it as the mapping says")
        if names.count(name) > 1:
            raise ImportRefused(f"line 1: column {column!r} is named twice, expected it once")
        return names.index(name)

    if own and len(set(names)) != len(names):
        raise ImportRefused("line 1: a column is named twice, expected each once")
    plans = [Plan(event, place, columns, actor, now, header) for event in mapping.events]
    return place(mapping.address), plans


class Plan:
    """One event of a mapping, on one file."""

    def __init__(
        self,
        event: EventMap,
        place: Callable[[str], int],
        columns: Columns,
        actor: str,
        now: int,
        header: list[str],
    ) -> None:
        parts = event.parts()
        self._columns = columns
        self._actor = actor
        self._now = now
        self._label = event.name
        self._conditions = [_condition(c, place(c.column)) for c in event.when]
        self._cells = {name: _Source(name, cell, place, header) for name, cell in parts.items()}
        self._at = self._cells.pop("at", None)
        self._proof = self._cells.pop("proof", None)
        self._asked = [source.place for source in self._cells.values() if source.place >= 0]
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._moments: dict[str, int] = {}
        self._evidence: dict[tuple[str, str, str], Evidence] = {}

    def holds(self, cells: list[str]) -> bool:
        """Whether this row holds the event."""
        return not self._conditions or all(condition(cells) for condition in self._conditions)

    def event(self, cells: list[str], person: Person) -> tuple[Event, bool]:
        """The event, and whether the file says when it was. Raises `Wrong`."""
        asked = tuple([cells[place] for place in self._asked])
        shape = self._shapes.get(asked)
        if shape is None:
            shape = _remember(self._shapes, asked, self._shape(cells))
        at = self._time(cells, shape)
        proof = self._proof.text(cells) if self._proof is not None else ""
        moment = self._now if at is None else at
        event = Event(shape.kind, person, moment, self._by(shape, proof), shape.scope, shape.detail)
        if moment <= 0 or "@" in proof or len(proof) > _LONG or not proof.isprintable():
            self._check(event)
        return event, at is not None

    def _time(self, cells: list[str], shape: _Shape) -> int | None:
        text = self._at.text(cells) if self._at is not None else ""
        if self._at is None or not text:
            if shape.kind in DATED:
                raise Wrong(self._name("at"), f"{shape.kind} needs its time, expected a date")
            return None
        at = self._moments.get(text)
        if at is None:
            at = _remember(self._moments, text, self._said(self._at, self._columns.moment, text))
        if at > self._now:
            raise Wrong(self._name("at"), "in the future, expected a time that has been")
        return at

    def _by(self, shape: _Shape, proof: str) -> Evidence:
        if proof and self._proof is not None and self._proof.place >= 0:  # nearly every row has its own
            return Evidence(self._actor, shape.channel, shape.wording, proof)
        key = (shape.channel, shape.wording, proof)
        found = self._evidence.get(key)
        return found or _remember(self._evidence, key, Evidence(self._actor, shape.channel, shape.wording, proof))

    def _shape(self, cells: list[str]) -> _Shape:
        given = {name: text for name, source in self._cells.items() if (text := source.text(cells))}
        kind = self._read("kind", self._columns.kind, given.get("kind", ""))
        if given.get("channel") == ATTESTED and not self._actor.startswith("operator:"):
            raise Wrong(self._name("channel"), "only a named operator attests, expected how the person said it")
        shape = _Shape(
            kind,
            self._scope(kind, given),
            given.get("channel", ""),
            given.get("wording", ""),
            self._detail(kind, given),
        )
        self._check(Event(kind, SOMEBODY, 1, self._by(shape, ""), shape.scope, shape.detail))
        return shape

    def _scope(self, kind: EventKind, given: Mapping[str, str]) -> Scope | None:
        if "topic" in given:
            if kind is not EventKind.REQUEST:
                raise Wrong(self._name("topic"), f"{kind} has none, expected an empty cell")
            return self._read("topic", self._columns.topic, given["topic"])
        return self._read("scope", self._columns.scope, given["scope"]) if "scope" in given else None

    def _detail(self, kind: EventKind, given: Mapping[str, str]) -> dict[str, Value]:
        carried = details_of(kind)
        detail: dict[str, Value] = {"by": given["actor"]} if "actor" in given else {}
        for column in DETAIL:
            if column in given:
                name, value = self._read(column, partial(self._columns.detail, column), given[column])
                if name not in carried:
                    raise Wrong(self._name(column), f"{kind} has none, expected an empty cell")
                detail[name] = value
        return detail

    def _read(self, column: str, reader: Callable[[str], _T], text: str) -> _T:
        source = self._cells.get(column)
        if source is None:
            raise Wrong(self._name(column), "missing, expected a value")
        return self._said(source, reader, text)

    def _said(self, source: _Source, reader: Callable[[str], _T], text: str) -> _T:
        try:
            return reader(text)
        except ValueError as error:
            raise Wrong(self._name(source.name), str(error)) from None

    def _check(self, event: Event) -> None:
        try:
            check(event)
        except InvalidEvent as error:
            name, _, what = str(error).partition(": ")
            raise Wrong(self._name(column_of("actor" if name == "by" else name)), what) from None

    def _name(self, column: str) -> str:
        """How people know the column: by the file's header, else by the mapping."""
        sources = {**self._cells, "at": self._at, "proof": self._proof}
        source = sources.get(column)
        if source is not None and source.header:
            return source.header
        return f"{self._label}.{column}" if self._label else column


class _Source:
    """Where one value of an event comes from. `place` is -1 for a constant, which has no `header` either."""

    def __init__(self, name: str, cell: Cell, place: Callable[[str], int], header: list[str]) -> None:
        self.name = name
        self.place = -1 if cell.constant else place(cell.column)
        self.header = "" if cell.constant else header[self.place]
        self._empty = cell.empty
        self._values = {said.strip().lower(): meant for said, meant in cell.values.items()}

    def text(self, cells: list[str]) -> str:
        """Raises `Wrong` for a text that the mapping does not know."""
        if self.place < 0:
            return self._empty
        text = cells[self.place].strip()
        if self._values:
            if text.lower() in self._values:
                return self._values[text.lower()]
            if text:
                raise Wrong(self.header, f"expected one of: {', '.join(self._values)}")
        return text or self._empty


def _condition(condition: Condition, place: int) -> Callable[[list[str]], bool]:
    equals = {text.strip().lower() for text in condition.equals}
    differs = {text.strip().lower() for text in condition.differs}
    if not equals and not differs:
        return lambda cells: bool(cells[place].strip())

    def holds(cells: list[str]) -> bool:
        text = cells[place].strip().lower()
        return (not equals or text in equals) and text not in differs

    return holds


def _remember(memory: dict[_K, _T], key: _K, value: _T) -> _T:
    if len(memory) >= _MEMORY:
        memory.clear()
    memory[key] = value
    return value
