"""The people on a list that an organisation brings itself.

what:       which column holds addresses; each row's person, as a pseudonym
takes→gives: binary stream → header, then `Entry` values one at a time
knows not:  what is known about them, storage
fails by:   `ImportRefused` for a file without such a column; a row without a usable address is an `Entry` that says so
standard:   I-7; DESIGN §4 "Who can name a person"
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gateway.address import Address, InvalidAddress
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.rows import Dialect, ImportRefused, Row, Table, open_table

# What programs call the column, without what is no letter.
ADDRESS_NAMES = frozenset({"address", "email", "emailaddress", "emailadres", "mail", "mailadres", "mailaddress"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `address` as it stands in the list, to be written next to what is found, and nowhere else.

    `person` is None where `problem` says why.
    """

    number: int
    address: str
    person: Person | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PeopleList:
    """A list whose header is read. Iterate once. `column`: how the list calls its addresses."""

    table: Table
    column: str
    pseudonyms: Pseudonyms

    def __iter__(self) -> Iterator[Entry]:
        place = self.table.header.index(self.column)
        for row in self.table:
            yield self._entry(row, place)

    def _entry(self, row: Row, place: int) -> Entry:
        if row.what:
            return Entry(row.number, "", None, f"{row.column}: {row.what}" if row.column else row.what)
        written = row.cells[place]
        try:
            return Entry(row.number, written, self.pseudonyms.person(Address.parse(written.strip())))
        except InvalidAddress:
            return Entry(row.number, written, None, "not one usable mail address, expected name@domain")


def open_list(stream: BinaryIO, dialect: Dialect, column: str, pseudonyms: Pseudonyms) -> PeopleList:
    """Read the header. `column` "" finds the addresses by their usual names. Raises `ImportRefused`."""
    table = open_table(stream, dialect, {column.lower()} if column else ADDRESS_NAMES)
    return PeopleList(table, address_column(table.header, column), pseudonyms)


def address_column(header: list[str], column: str) -> str:
    """The header's name of the column with addresses. Raises `ImportRefused`."""
    if column:
        found = [name for name in header if name.lower() == column.strip().lower()]
        missing = "line 1: no such column, expected the name in --column"
    else:
        found = [name for name in header if _letters(name) in ADDRESS_NAMES]
        missing = "line 1: no column that is called as addresses are, expected its name in --column"
    if not found:
        raise ImportRefused(missing)
    if len(found) > 1:
        raise ImportRefused("line 1: several columns may hold the addresses, expected the name of one in --column")
    return found[0]


def _letters(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalpha())
