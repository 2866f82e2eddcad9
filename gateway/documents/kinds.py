"""What in a text is personal: one detector per kind, and all of them at once.

what:       e-mail addresses, phone numbers, postcodes with house number, streets, dates of birth, BSN
takes→gives: text → `Found` values in canonical form, with offsets; a cell and what its column holds → one value
knows not:  documents, mails, whose data it is, what follows
fails by:   nothing
standard:   S-11, S-53; I-1. Linear: every detector does bounded work per candidate

Precision comes first: mail that is stopped for nothing is switched off. What is left alone is told in docs/content.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from gateway.address import Address
from gateway.documents import births, bsn, mails, phones, postcodes
from gateway.inspection import MOST, Kind


class Found(NamedTuple):
    """`value` in canonical form: equal for all spellings of one thing. `at` is an offset in the text."""

    kind: Kind
    value: str
    at: int


_DIGIT = re.compile(r"\d")

Detector = Callable[[str], Iterator[tuple[str, int]]]


def _mails(text: str) -> Iterator[tuple[str, int]]:
    values: dict[Address, str] = {}
    for address, at in mails.addresses(text):
        if (value := values.get(address)) is None:
            value = values[address] = mail_value(address)
        yield value, at


def mail_value(address: Address) -> str:
    """The canonical form of an address as the value of a finding."""
    return address.exact().decode("utf-8", "replace")


def mail_address(value: str) -> Address:
    """The other way round."""
    local, _, domain = value.partition(":")[2].rpartition("@")
    return Address(local, domain)


DETECTORS: Mapping[Kind, Detector] = {
    Kind.EMAIL: _mails,
    Kind.PHONE: phones.phones,
    Kind.POSTCODE: postcodes.postcodes,
    Kind.STREET: postcodes.streets,
    Kind.BIRTH_DATE: births.births,
    Kind.BSN: bsn.bsns,
}


def find(text: str) -> Iterator[Found]:
    """Everything personal in running text, kind by kind, `MOST` of each."""
    numbers = _DIGIT.search(text) is not None  # only an address does without
    for kind, detect in DETECTORS.items():
        if numbers or kind is Kind.EMAIL:
            yield from (Found(kind, value, at) for value, at in islice(detect(text), MOST))


STATED: Mapping[Kind, Detector] = {
    Kind.PHONE: lambda text: phones.phones(text, stated=True),
    Kind.POSTCODE: postcodes.codes,
    Kind.BIRTH_DATE: births.days,
    Kind.BSN: bsn.numbers,
}
"""For text below a heading that names the kind: what needs no word of its own there."""


def _mail_cell(text: str) -> str:
    return next((value for value, _ in _mails(text)), "")


CELLS: Mapping[Kind, Callable[[str], str]] = {
    Kind.EMAIL: _mail_cell,
    Kind.PHONE: phones.cell,
    Kind.POSTCODE: postcodes.postcode_cell,
    Kind.STREET: postcodes.street_cell,
    Kind.BIRTH_DATE: births.cell,
    Kind.BSN: bsn.canonical,
}
"""For a cell whose column is headed by a kind: its value, "" when it holds none."""
