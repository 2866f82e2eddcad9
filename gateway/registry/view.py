"""Reading facts, and proving with every read that this is still the right registry (I-13).

what:       one read-only connection, the tails of both journals, and the checks
takes→gives: `Person` values → `Facts`, in the order asked
knows not:  writing, replaying, decisions
fails by:   `RegistryMistrusted`; `sqlite3.Error`, `JournalDamaged`, `OSError` (the caller maps them)
standard:   I-2, I-12, I-13
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from gateway.facts import Block, Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import durable, rotation, schema, web
from gateway.registry import identity as identities
from gateway.registry.identity import Identity
from gateway.registry.journal import Journal
from gateway.registry.places import Places
from gateway.registry.postings import Index, contact_key
from gateway.registry.protocol import RegistryMistrusted
from gateway.registry.remembered import Remembered
from gateway.registry.state import joined, known
from gateway.registry.tail import Tail

_HOLDER = (
    "SELECT pseudonym, layer FROM postings JOIN state USING (person) WHERE name = ? AND key = ?"
    " ORDER BY event DESC LIMIT 1"
)
_CHUNK = 512  # people per statement, two pseudonyms each
_FEW = 8  # pseudonyms asked for together with the identity: a mail to one person shows two or three more
_FEW_QUERY = (
    f"SELECT pseudonym, data, {identities.COLUMNS} FROM identity"
    f" LEFT JOIN (SELECT pseudonym, data FROM state WHERE pseudonym IN ({','.join('?' * _FEW)}))"
)


class View:
    """One process's eyes on a registry. `expected` is what every read must find, and only its positions may grow."""

    def __init__(
        self, places: Places, expected: Identity, pseudonyms: Pseudonyms, seen: Callable[[float], None] | None
    ) -> None:
        self._places = places
        self._expected = expected
        self._pseudonyms = pseudonyms
        self._seen = seen
        self._layers = expected.layers
        self._taken = (expected.applied.position, expected.ingested.position if expected.ingested else 0)
        self._file = durable.file_id(places.registry)
        self._connection = schema.reading(places.registry)
        self._own = Tail(Journal.open(places.journal, write=False), expected.applied, pseudonyms, None)
        self._web: Tail | None = None
        self._remembered = Remembered()

    def read(self, people: Sequence[Person]) -> list[Facts]:
        """One batched read. Tails first: what moves into the registry meanwhile is seen twice, never not at all."""
        if durable.file_id(self._places.registry) != self._file:
            raise RegistryMistrusted("the registry file is gone or was replaced by another one")
        self._refresh()
        if people:
            known = self._remembered.facts(self._version(), people, self._pending)
            if known is not None:
                return known
        found: list[Facts] = []
        for start in range(0, max(1, len(people)), _CHUNK):
            found.extend(self._read_chunk(people[start : start + _CHUNK]))
        return found

    def contact(self, client: str, contact: str) -> bytes | None:
        """The exact pseudonym of the person whom this client last called so, in the newest layer of the keys."""
        with self._trusted():
            row = self._connection.execute(_HOLDER, (Index.CONTACT, contact_key(client, contact))).fetchone()
        return None if row is None else self._pseudonyms.lift(bytes(row[0]), row[1])

    def published(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these publication consents that somebody gave and did not take back."""
        query = f"SELECT DISTINCT key FROM postings WHERE name = ? AND key IN ({','.join('?' * len(ids))})"
        with self._trusted():
            return frozenset(key for (key,) in self._connection.execute(query, (Index.PUBLICATION, *ids)))

    @contextmanager
    def _trusted(self) -> Iterator[None]:
        """One state of the file, checked as for every look-up."""
        if durable.file_id(self._places.registry) != self._file:
            raise RegistryMistrusted("the registry file is gone or was replaced by another one")
        self._connection.execute("BEGIN")
        try:
            self._check(identities.read(self._connection))
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
        self._own.journal.close()
        if self._web is not None:
            self._web.journal.close()

    def _refresh(self) -> None:
        self._own.refresh()
        if self._web is None:
            self._find_web()
        if self._web is not None:
            self._web.refresh()
        self._forget()

    def _forget(self) -> None:
        """Also after reading, not only when the registry moves: a tail can come by a record after the registry did."""
        self._own.forget(self._taken[0])
        if self._web is not None:
            self._web.forget(self._taken[1])

    def _find_web(self) -> None:
        found = web.find(self._places.web, self._expected)
        if found is not None:
            self._web = Tail(found[0], found[1], self._pseudonyms, self._seen)

    def _read_chunk(self, people: Sequence[Person]) -> list[Facts]:
        if not people:
            self._check(identities.read(self._connection))
            return []
        newest = self._pseudonyms.version
        people = [p if p.layer == newest else self._pseudonyms.brought(p) for p in people]
        version = self._version()
        while True:
            if len(self._layers) > 1:
                self._check(identities.read(self._connection))  # maybe the pass is over
            layers = self._layers
            names = [self._names(person) for person in people]
            asked = [p for exact, wide in names for p in (*exact, *wide)]
            rows = self._few(asked) if len(asked) <= _FEW else self._many(asked)
            if layers == self._layers:  # else rows are looked for elsewhere since this very read: ask again
                break
        if len(layers) == 1 and version == self._version():  # nobody wrote meanwhile
            self._remembered.keep(version, asked, rows)
        return [self._facts(person, *found, rows) for person, found in zip(people, names, strict=True)]

    def _version(self) -> int:
        """Changes with every commit of anybody else, and this connection makes none."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _names(self, person: Person) -> tuple[list[bytes], list[bytes]]:
        """Every pseudonym that rows of this person may be under: exact, wide; one each but while rows are lifted."""
        if person.layer == self._layers.start == self._layers[-1]:
            return [person.exact], [person.wide]
        known = [rotation.at(person, layer) for layer in self._layers]
        return [p.exact for p in known], [p.wide for p in known]

    def _few(self, asked: list[bytes]) -> dict[bytes, Facts]:
        """Identity and people in one statement, which sees one state of the file as a transaction does."""
        with identities.must_be_registry():
            found = self._connection.execute(_FEW_QUERY, asked + asked[-1:] * (_FEW - len(asked))).fetchall()
        self._check(identities.of_row(identities.present(found[0][2:] if found else None)))
        return {pseudonym: known(data) for pseudonym, data, *_ in found if pseudonym is not None}

    def _many(self, asked: list[bytes]) -> dict[bytes, Facts]:
        self._connection.execute("BEGIN")
        try:
            self._check(identities.read(self._connection))
            return self._rows(asked)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")

    def _rows(self, asked: list[bytes]) -> dict[bytes, Facts]:
        # Few statement lengths, so that the connection's statement cache holds them all; sorted, as SQLite visits them.
        length = 1 << (len(asked) - 1).bit_length()
        query = f"SELECT pseudonym, data FROM state WHERE pseudonym IN ({','.join('?' * length)})"
        padded = sorted(asked) + asked[-1:] * (length - len(asked))
        return {pseudonym: known(data) for pseudonym, data in self._connection.execute(query, padded)}

    def _facts(self, person: Person, exact: list[bytes], wide: list[bytes], rows: dict[bytes, Facts]) -> Facts:
        return joined(_first(rows, exact), _first(rows, wide), self._pending(person))

    def _pending(self, person: Person) -> Sequence[Block]:
        if not len(self._own) and not (self._web is not None and len(self._web)):
            return ()
        tails = [self._own] if self._web is None else [self._own, self._web]
        return [block for tail in tails if len(tail) for p in (person.exact, person.wide) for block in tail.blocks(p)]

    def _check(self, found: Identity) -> None:
        expected = self._expected
        if (found.registry, found.journal) != (expected.registry, expected.journal):
            raise RegistryMistrusted("the registry's identity is not the one this node knows")
        if found.loading:
            raise RegistryMistrusted(identities.LOADING)
        if (found.layer, found.key_check, found.floor) != (expected.layer, expected.key_check, expected.floor):
            self._move_layers(found)
        taken = (found.applied.position, found.ingested.position if found.ingested else 0)
        if taken[0] < self._taken[0] or taken[1] < self._taken[1]:
            raise RegistryMistrusted("the registry is older than it was: a backup was put back")
        if taken != self._taken:
            self._move(found, taken)

    def _move_layers(self, found: Identity) -> None:
        """Rows are being lifted, or all are by now. Keys that lack the layer end the trust with this very read."""
        identities.check_keys(found, self._expected.organisation, self._pseudonyms)
        self._expected, self._layers = found, found.layers

    def _move(self, found: Identity, taken: tuple[int, int]) -> None:
        if found.applied.position > self._own.journal.end.position:
            self._own.refresh()
        if found.applied.position > self._own.journal.end.position:
            raise RegistryMistrusted("the journal is behind its registry")
        if found.web is not None and self._web is not None and found.web != self._web.journal.head.identity:
            raise RegistryMistrusted("the web journal is another one than the registry knows")
        self._taken = taken
        self._forget()


def _first(rows: Mapping[bytes, Facts], names: Iterable[bytes]) -> Facts | None:
    for name in names:
        if name in rows:
            return rows[name]
    return None
