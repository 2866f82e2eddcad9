"""One unsealed row as typed values: what the intake put into the spool, as delivery reads it.

what:       `Letter`: envelope of one copy, slot values, marks, person
takes→gives: `Entry`, `Opened` → `Letter`
knows not:  providers, connections, decisions
fails by:   `KeyError`, `TypeError` or `ValueError` on a row that intake did not write
standard:   DESIGN §4 Spool; RFC 3461
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.address import Address
from gateway.decision import Classification, Stream, Variant
from gateway.delivery.parameters import Path
from gateway.message.template import Slot
from gateway.pseudonym import Person, Pseudonyms
from gateway.spool.protocol import Entry, Opened

NOTICED = "delay_noticed"  # in a row's sealed part: the submitter heard about the delay


@dataclass(frozen=True, slots=True)
class Letter:
    """A copy ready to be rendered. `headers` are the fields a report may return; `row` is the sealed part as stored."""

    path: Path
    submitter: str = field(repr=False)
    """The reverse-path the message came with, "" for the null one: reports go there, whatever the copy carries."""
    address: Address
    postmaster: bool
    """The organisation's own postmaster, which gets every mail (R-022)."""
    person: Person
    classification: Classification
    from_domain: str
    language: str
    slots: Mapping[Slot, bytes] = field(repr=False)
    headers: str = field(repr=False)
    noticed: bool
    row: Mapping[str, object] = field(repr=False)

    @classmethod
    def read(cls, entry: Entry, opened: Opened, pseudonyms: Pseudonyms) -> Letter:
        """The pseudonyms are made anew, so that a block written after a key rotation is found."""
        row, message = opened.row, opened.message
        address = _address(_text(row, "address"))
        return cls(
            path=Path(
                sender=_text(row, "return_path") if "return_path" in row else _text(message, "sender"),
                recipient=address.reveal(),
                notify=frozenset(_list(row, "notify")),
                orcpt=_text(row, "orcpt"),
                envid=_text(message, "envid"),
                ret=_text(message, "ret"),
                split=bool(message.get("split", False)),
            ),
            submitter=_text(message, "sender"),
            address=address,
            postmaster=bool(row.get("postmaster", False)),
            person=pseudonyms.person(address),
            slots={Slot(name): value.encode() for name, value in _table(row, "slots").items()},
            classification=_classification(entry),
            from_domain=_text(entry.facts, "from_domain"),
            language=_text(entry.facts, "language"),
            headers=_text(message, "headers"),
            noticed=bool(row.get(NOTICED, False)),
            row=row,
        )


def no_looser(stored: str, decided: Variant) -> str:
    """Name of the template to use: the stored one, or its untracked form where the person may not be tracked (I-2).

    The language stays as it was compiled: only to an equal or a stricter text, never to another one.
    """
    language, _, tracked = stored.partition("/")
    return str(Variant(language, tracking=tracked == "tracked" and decided.tracking))


def _address(text: str) -> Address:
    # Validated at intake; taken apart here without the cost of doing that again.
    local, at, domain = text.rpartition("@")
    return Address(local, domain) if at else Address(text, "")


def _classification(entry: Entry) -> Classification:
    marks = entry.facts.get("classification")
    if not isinstance(marks, Mapping):
        # Nothing is decided on a guess: the policy refuses this stream.
        return Classification(Stream.UNCLASSIFIED, why="stored without its marks")
    return Classification.from_json(marks)


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key}: expected text")
    return value


def _list(values: Mapping[str, object], key: str) -> list[str]:
    value = values.get(key, [])
    if not isinstance(value, list | tuple):
        raise TypeError(f"{key}: expected a list")
    return [str(item) for item in value]


def _table(values: Mapping[str, object], key: str) -> dict[str, str]:
    value = values.get(key, {})
    if not isinstance(value, Mapping):
        raise TypeError(f"{key}: expected a mapping")
    return {str(name): str(item) for name, item in value.items()}
