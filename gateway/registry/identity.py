"""The one row that says which registry this is and how far it has come.

what:       `Identity`, read and written whole; the checks that need nothing but it
takes→gives: a connection → `Identity`; `Identity` and what is expected → a reason for mistrust or ""
knows not:  files, people
fails by:   `sqlite3.Error`; `RegistryMistrusted` when there is no such row
standard:   I-12, I-13
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.pseudonym import Pseudonyms
from gateway.registry.node import Memory
from gateway.registry.protocol import RegistryMistrusted
from gateway.registry.record import Mark

COLUMNS = (
    "registry, organisation, key_check, layer, journal, position, chain, web, web_position, web_chain, floor, loading"
)
LOADING = "rows of another registry are being loaded into this one; it can be used when they are all here"


@dataclass(frozen=True, slots=True)
class Identity:
    """`applied`: how much of the registry's journal is in it; `ingested`: how much of web journal `web`.

    `loading`: rows of another registry are coming in, and until all are there nobody may rest on it.
    `layer` is that of new rows; `floor` the lowest a row may be of while rows are lifted, None when all are of `layer`.
    """

    registry: bytes
    organisation: int
    key_check: bytes
    layer: int
    journal: bytes
    applied: Mark
    web: bytes | None = None
    ingested: Mark | None = None
    floor: int | None = None
    loading: bool = False

    @property
    def lowest(self) -> int:
        """The lowest layer a row may be of, and so the layer that journal records are written in."""
        return self.layer if self.floor is None else self.floor

    @property
    def layers(self) -> range:
        """Every layer a row may be of, oldest first."""
        return range(self.lowest, self.layer + 1)

    def memory(self, file: tuple[int, int]) -> Memory:
        """What a node remembers of this."""
        return Memory(self.registry, self.journal, self.organisation, self.applied, file)


Row = tuple[bytes, int, bytes, int, bytes, int, bytes, bytes | None, int, bytes | None, int | None, int]


def of_row(row: Row) -> Identity:
    registry, organisation, key_check, layer, journal, position, chain, web, web_position, web_chain, *rest = row
    ingested = None if web_chain is None else Mark(web_position, web_chain)
    applied, (floor, loading) = Mark(position, chain), rest
    return Identity(
        registry, organisation, key_check, layer, journal, applied, web, ingested, floor, loading=bool(loading)
    )


def read(connection: sqlite3.Connection) -> Identity:
    """The row. An empty file, or one of something else, has none: `RegistryMistrusted`."""
    with must_be_registry():
        row = connection.execute(f"SELECT {COLUMNS} FROM identity").fetchone()
    return of_row(present(row))


@contextmanager
def must_be_registry() -> Iterator[None]:
    """Missing tables are `RegistryMistrusted`: this is no registry."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error) and "no such column" not in str(error):
            raise
        present(None)


def present(row: Row | None) -> Row:
    """The row; `RegistryMistrusted` where there is none."""
    if row is None:
        raise RegistryMistrusted("the registry file is empty or not a registry")
    return row


def write(connection: sqlite3.Connection, identity: Identity) -> None:
    """Replace the row, inside the caller's transaction."""
    ingested = identity.ingested
    connection.execute(
        f"INSERT OR REPLACE INTO identity (one, {COLUMNS}) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            identity.registry,
            identity.organisation,
            identity.key_check,
            identity.layer,
            identity.journal,
            identity.applied.position,
            identity.applied.chain,
            identity.web,
            ingested.position if ingested else 0,
            ingested.chain if ingested else None,
            identity.floor,
            int(identity.loading),
        ),
    )


def check_keys(identity: Identity, organisation: int, pseudonyms: Pseudonyms) -> None:
    """Raise `RegistryMistrusted` unless the registry was made for this organisation with (the first of) these keys."""
    if identity.organisation != organisation:
        raise RegistryMistrusted("the registry belongs to another organisation")
    if identity.layer > pseudonyms.version:
        raise RegistryMistrusted("the registry uses a newer pseudonym key than this node has")
    if not hmac.compare_digest(identity.key_check, pseudonyms.check_value(identity.layer)):
        raise RegistryMistrusted("the registry was made with other pseudonym keys")
