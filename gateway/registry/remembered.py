"""Rows as they were read from one version of the file, so that who is asked for again is not read again.

what:       facts by pseudonym, for as long as nobody writes to the registry
takes→gives: a version of the file and pseudonyms → what is known of them, or nothing when it has to be read
knows not:  SQL, journals, identity
fails by:   nothing
standard:   I-13: an answer holds for exactly the version that was checked
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.facts import Block, Facts
from gateway.pseudonym import Person
from gateway.registry.state import joined

_MOST = 20_000  # rows; some 12 MB


class Remembered:
    """What was read of one version. Everything goes when the version does."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._rows: dict[bytes, Facts | None] = {}

    def facts(
        self, version: int, people: Sequence[Person], pending: Callable[[Person], Sequence[Block]]
    ) -> list[Facts] | None:
        """Everybody's facts, or None when somebody has to be read. `pending`: their blocks not in the registry yet."""
        if version != self._version:
            return None
        rows, found = self._rows, list[Facts]()
        try:
            for person in people:
                found.append(joined(rows[person.exact], rows[person.wide], pending(person)))
        except KeyError:
            return None
        return found

    def keep(self, version: int, asked: Sequence[bytes], rows: Mapping[bytes, Facts]) -> None:
        """Note what was found under all these pseudonyms in this version."""
        if version != self._version or len(self._rows) > _MOST:
            self._version, self._rows = version, {}
        for pseudonym in asked:
            self._rows[pseudonym] = rows.get(pseudonym)
