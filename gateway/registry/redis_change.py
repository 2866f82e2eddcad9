"""One change of the registry in Redis: what must still be as it was, and what then becomes different.

what:       collects expectations and operations, in the form the script takes them
takes→gives: keys, fields, values → key list and argument list
knows not:  connections, what a row means
fails by:   nothing
standard:   I-13: all of a change or nothing of it
"""

from __future__ import annotations

from gateway.registry.protocol import StateRow
from gateway.registry.redis_keys import Keys, bucket_of, field_of, pack_state
from gateway.registry.redis_primary import Argument

_Field = bytes | str | int


class Change:
    """Filled by its maker, sent once or several times; nothing is in it but names and values."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._numbers: dict[str, int] = {keys.map: 1, keys.turn: 2, keys.identity: 3}
        self._expected: list[Argument] = []
        self._operations: list[Argument] = []
        self._puts: dict[str, list[Argument]] = {}

    @property
    def empty(self) -> bool:
        return not (self._operations or self._puts)

    @property
    def names(self) -> list[str]:
        for key in self._puts:
            self._number(key)
        return list(self._numbers)

    def arguments(self, reign: str, copies: int, turn: str) -> list[Argument]:
        """For the script CHANGE."""
        return [reign, copies, turn, len(self._expected) // 3, *self._expected, *self._operations, *self._last()]

    def expect(self, key: str, field: _Field, value: Argument | None) -> None:
        """Nothing is changed unless the field still has this value (None: is absent)."""
        self._expected += (self._number(key), field, "" if value is None else value)

    def put(self, key: str, field: _Field, value: Argument) -> None:
        self._operations += ("put", self._number(key), 1, field, value)

    def put_last(self, key: str, field: _Field, value: Argument) -> None:
        """A new field of a hash that gets many of them: they go together, after everything else."""
        self._puts.setdefault(key, []).extend((field, value))

    def drop(self, key: str, field: _Field) -> None:
        self._operations += ("drop", self._number(key), field)

    def put_row(self, row: StateRow) -> None:
        """A state row, counted and marked in the map where it is new."""
        key, bucket = self.keys.bucket(row.pseudonym), bucket_of(row.pseudonym)
        self._operations += ("row", self._number(key), field_of(row.pseudonym), pack_state(row), bucket)

    def drop_row(self, pseudonym: bytes) -> None:
        key, bucket = self.keys.bucket(pseudonym), bucket_of(pseudonym)
        self._operations += ("unrow", self._number(key), field_of(pseudonym), bucket)

    def add(self, key: str, field: _Field, value: Argument) -> None:
        """Behind the values that the field has, with a comma."""
        self._operations += ("add", self._number(key), field, value)

    def unadd(self, key: str, field: _Field, value: Argument) -> None:
        """Take one of the values out; the field goes with the last."""
        self._operations += ("unadd", self._number(key), field, value)

    def name(self, person: int, pseudonym: bytes) -> None:
        """From now on the row under this pseudonym has this person number."""
        self._operations += ("name", self._number(self.keys.names(person)), person, pseudonym)

    def unname(self, person: int, pseudonym: bytes) -> None:
        self._operations += ("unname", self._number(self.keys.names(person)), person, pseudonym)

    def count(self, key: str, field: _Field, by: int) -> None:
        """The field goes when it comes to nothing."""
        self._operations += ("count", self._number(key), field, by)

    def oldest(self, key: str, score: int, member: _Field) -> None:
        self._operations += ("oldest", self._number(key), score, member)

    def rank(self, key: str, score: int, member: _Field) -> None:
        self._operations += ("rank", self._number(key), score, member)

    def unrank(self, key: str, member: _Field) -> None:
        self._operations += ("unrank", self._number(key), member)

    def _last(self) -> list[Argument]:
        found: list[Argument] = []
        for key, values in self._puts.items():
            found += ("put", self._number(key), len(values) // 2, *values)
        return found

    def _number(self, key: str) -> int:
        return self._numbers.setdefault(key, len(self._numbers) + 1)
