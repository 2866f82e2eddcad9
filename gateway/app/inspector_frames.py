"""What a worker and its inspector say to each other: frames of a JSON header and octets behind it.

what:       `pack`, `LENGTHS`; requests and answers as values
takes→gives: `Item`, `Inspection` ↔ header
knows not:  processes
fails by:   `ValueError` for an answer that is not one: what reads hostile files is not believed either
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.address import Address
from gateway.documents.protocol import Bounds, Meter
from gateway.inspection import Finding, Inspection, Item, Kind, Unread

LENGTHS = struct.Struct(">II")
"""Octets of the header, octets of the content."""
LONGEST_ANSWER = 32 * 2**20
_LONGEST_PLACE = 400
_LONGEST_ADDRESS = 64 + 255
_MOST_NUMBERS = 10**12


@dataclass(frozen=True, slots=True)
class Answer:
    """`spent` is what the mail has used of its bounds; `peak` the most memory the process ever had, in octets."""

    inspection: Inspection
    spent: tuple[int, int, int]
    peak: int


@dataclass(frozen=True, slots=True)
class Request:
    """One item of a mail, without its content; `cpu` in seconds."""

    item: Item
    bounds: Bounds
    spent: tuple[int, int, int]
    key: bytes = field(repr=False)
    cpu: int
    words: tuple[str, ...] = ()

    def meter(self) -> Meter:
        """Counts on from what the mail's other items used."""
        return Meter(self.bounds, *self.spent)


def pack(header: Mapping[str, Any], content_length: int = 0) -> bytes:
    """The beginning of a frame; the content follows it."""
    written = json.dumps(header).encode()
    return LENGTHS.pack(len(written), content_length) + written


def request_out(request: Request) -> dict[str, Any]:
    """As JSON."""
    item, bounds = request.item, request.bounds
    return {
        "part": item.part,
        "name": item.name,
        "media_type": item.media_type,
        "bounds": [bounds.octets, bounds.ratio, bounds.depth, bounds.members, bounds.texts],
        "spent": request.spent,
        "key": request.key.hex(),
        "cpu": request.cpu,
        "words": request.words,
    }


def request_in(header: Mapping[str, Any], content: bytes) -> Request:
    """The other way round; a worker is believed."""
    item = Item(header["part"], header["name"], header["media_type"], content)
    octets, members, texts = header["spent"]
    spent = (octets, members, texts)
    bounds, key = Bounds(*header["bounds"]), bytes.fromhex(header["key"])
    return Request(item, bounds, spent, key, header["cpu"], tuple(header["words"]))


def answer_out(found: Inspection, meter: Meter, peak: int) -> dict[str, Any]:
    """As JSON. Addresses stand in it as they are: it goes through a pipe and nowhere else."""
    return {
        "findings": [[f.kind.value, f.where, f.mark.hex(), f.listed] for f in found.findings],
        "addresses": [[address.reveal(), list(places)] for address, places in found.addresses.items()],
        "unread": [[u.part, u.why] for u in found.unread],
        "crowded": bool(found.crowded),
        "worded": bool(found.worded),
        "spent": [meter.octets, meter.members, meter.texts],
        "peak": peak,
    }


def answer_in(written: bytes, part: str, key: bytes) -> Answer:
    """Raises `ValueError` for anything but an answer about `part`."""
    try:
        header = json.loads(written)
        found = Inspection(
            tuple(_finding(*values) for values in header["findings"]),
            {_address(a): tuple(map(_place, places)) for a, places in header["addresses"]},
            tuple(Unread(part, _place(why)) for _, why in header["unread"]),
            key,
            (part,) if header["crowded"] else (),
            (part,) if header["worded"] else (),
        )
        octets, members, texts = map(_number, header["spent"])
        return Answer(found, (octets, members, texts), _number(header["peak"]))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("not an answer") from error


def _finding(kind: object, where: object, mark: object, listed: object) -> Finding:
    return Finding(Kind(_text(kind)), _place(where), bytes.fromhex(_text(mark))[:64], listed is True)


def _address(value: object) -> Address:
    """As it was found. A document also holds what no server would take ("jan..jansen@example.org"): one such address
    must not make a list around it unreadable."""
    local, _, domain = _text(value).rpartition("@")
    if not local or not domain or len(local) + len(domain) > _LONGEST_ADDRESS or not f"{local}{domain}".isprintable():
        raise ValueError("not an address")
    return Address(local, domain)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _place(value: object) -> str:
    """Places stand in replies and in the audit: short, and never an address (I-7)."""
    text = _text(value)
    if "@" in text:
        raise ValueError("a place with a value")
    return "".join(c if c.isprintable() else " " for c in text[:_LONGEST_PLACE])


def _number(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MOST_NUMBERS:
        raise ValueError("not a count")
    return value
