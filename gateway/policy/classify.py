"""Turns a client, a sender and headers into one stream with its marks.

what:       first matching entry of `classify:`, marks checked against the organisation's names
takes→gives: `Organisation`, `Traits` → `Classification`; UNCLASSIFIED says in `why` what was missing or contradictory
knows not:  recipients' facts, the body, what happens to the mail
fails by:   nothing; what cannot be read is UNCLASSIFIED
standard:   DESIGN §5; S-17, S-41, S-45
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from gateway.config.organisation import Classify, Client, Organisation, StreamRule, When
from gateway.decision import Basis, Classification, Stream
from gateway.policy import marks
from gateway.policy.marks import BadMark, either, written
from gateway.policy.when import Traits, holds

__all__ = ["Traits", "classify"]

OBSERVED = "observed"  # entry name of unmarked mail that is handled as the one stream that is observed


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def retired(self) -> bool: ...


def classify(organisation: Organisation, traits: Traits, observed: Collection[Stream] = frozenset()) -> Classification:
    """The stream of one mail. Never raises; `why` is fit for a reply and holds no value of the mail.

    On streams that are `observed` for this client now, a mark that is missing is noted in `lacks`; one that is wrong
    is refused as ever. Mail that fits no entry and has no stream mark is the observed stream, when there is only one.
    """
    client = organisation.by_client.get(traits.client)
    if client is None:
        return _unclassified("this client is not of this organisation")
    entry = None
    try:
        _check_stream_mark(traits)
        entry = next((e for e in organisation.classify if holds(e.when, traits)), None)
        if entry is not None:
            return _read(organisation, client, entry, traits, [] if entry.stream in observed else None)
        why = _no_entry(organisation, client, traits)
        if marks.STREAM in traits.headers or len(observed) != 1:
            return _unclassified(why)
        entry = Classify(name=OBSERVED, when=When(client=client.name), stream=next(iter(observed)))
        return _read(organisation, client, entry, traits, [why])
    except BadMark as error:
        return _unclassified(str(error), entry.name if entry else "")


def _unclassified(why: str, entry: str = "") -> Classification:
    return Classification(Stream.UNCLASSIFIED, entry=entry, why=why)


def _check_stream_mark(traits: Traits) -> None:
    if len(traits.headers.get(marks.STREAM, ())) > 1:
        raise BadMark(f"stream twice: {written(marks.STREAM)}, expected once")
    marks.choice(traits.headers, marks.STREAM, (s.value for s in Stream if s is not Stream.UNCLASSIFIED))
    if stray := marks.unknown(traits.headers):
        raise BadMark(f"{stray} is not a known mark, expected {either(sorted(map(written, marks.KNOWN)))}")


def _no_entry(organisation: Organisation, client: Client, traits: Traits) -> str:
    own = [e.when.stream_mark for e in organisation.classify if e.when.client in (None, client.name)]
    expected = either(dict.fromkeys(mark.value for mark in own if mark))
    if marks.STREAM not in traits.headers and any(own):
        return f"stream_missing: {written(marks.STREAM)}, expected {expected}"
    if any(own):
        return f"no classify entry matches: {written(marks.STREAM)}, expected {expected} for this client"
    return "no classify entry matches this client, sender and headers"


def _read(
    organisation: Organisation, client: Client, entry: Classify, traits: Traits, lacks: list[str] | None
) -> Classification:
    """`lacks` collects marks that are missing; None: they are refused."""
    headers = traits.headers
    rule = organisation.streams.get(entry.stream)
    if rule is None or entry.stream is Stream.UNCLASSIFIED:
        raise BadMark(f"stream {entry.stream} has no rules, expected an entry under streams:")
    marked = marks.one(headers, marks.STREAM).lower()
    if marked and marked != entry.stream.value:
        raise BadMark(
            f"{written(marks.STREAM)}: expected {entry.stream}, the stream of this client, sender and headers"
        )
    offer, category = marks.offer(headers, organisation.category_ids, _retired(organisation.categories))
    basis = _basis(rule, entry, traits, lacks)
    # Mail by soft opt-in stands on a sale, not on a list or topic (L-30), and need not name one.
    asked: frozenset[str] = frozenset() if basis is Basis.SOFT_OPT_IN else frozenset(rule.needs)
    return Classification(
        stream=entry.stream,
        entry=entry.name,
        basis=basis,
        source=organisation.source_ids.get(client.source or "", 0),
        list=_list(organisation, asked, entry, traits, lacks),
        topic=_topic(organisation, asked, entry, traits, lacks),
        category=category,
        offer=offer,
        reference=marks.opaque_id(headers, marks.REFERENCE),
        contact=_contact(traits),
        campaign=marks.opaque_id(headers, marks.CAMPAIGN),
        about=marks.opaque_id(headers, marks.ABOUT),
        shared_with=marks.choice(headers, marks.SHARED_WITH, organisation.by_third_party),
        publication=marks.opaque_ids(headers, marks.PUBLICATION),
        segment=marks.opaque_id(headers, marks.SEGMENT),
        sensitive=bool(marks.yes_no(headers, marks.SENSITIVE)),
        ready=marks.yes_no(headers, marks.READY),
        identified=bool(marks.yes_no(headers, marks.IDENTIFIED)),
        lacks="; ".join(lacks or ()),
    )


def _miss(lacks: list[str] | None, text: str) -> None:
    if lacks is None:
        raise BadMark(text)
    lacks.append(text)


def _basis(rule: StreamRule, entry: Classify, traits: Traits, lacks: list[str] | None) -> Basis | None:
    """S-41: stream and basis are fixed pairs; D-16: where the mark is not needed the first permitted one counts."""
    permitted = (entry.basis,) if entry.basis else rule.basis
    value = marks.choice(traits.headers, marks.BASIS, permitted)
    if not value and rule.basis_mark:
        _miss(lacks, f"{written(marks.BASIS)} missing, expected {either(permitted)}")
    return Basis(value) if value else next(iter(permitted), None)


def _list(
    organisation: Organisation, asked: frozenset[str], entry: Classify, traits: Traits, lacks: list[str] | None
) -> int:
    """The list by entry, mark and List-Id; those that are given must agree."""
    retired = _retired(organisation.lists)
    by_entry = _named(entry.list, organisation.list_ids, retired, "list")
    by_mark = marks.numbered(traits.headers, marks.LIST, organisation.list_ids, retired)
    seen = marks.list_id(traits.headers)
    by_list_id = next((item.id for item in organisation.lists if seen and item.list_id == seen), 0)
    found = {number for number in (by_entry, by_mark, by_list_id) if number}
    if len(found) > 1:
        raise BadMark(f"{written(marks.LIST)}, List-Id and classify entry name different lists, expected one")
    if found & retired:
        raise BadMark("List-Id is of a retired list, expected a list in use")
    if not found and "list-consent" in asked:
        _miss(lacks, f"{written(marks.LIST)} missing, expected {either(_usable(organisation.list_ids, retired))}")
    return next(iter(found), 0)


def _topic(
    organisation: Organisation, asked: frozenset[str], entry: Classify, traits: Traits, lacks: list[str] | None
) -> int:
    retired = _retired(organisation.topics)
    by_entry = _named(entry.topic, organisation.topic_ids, retired, "topic")
    by_mark = marks.numbered(traits.headers, marks.TOPIC, organisation.topic_ids, retired)
    if by_entry and by_mark and by_entry != by_mark:
        raise BadMark(f"{written(marks.TOPIC)} and classify entry name different topics, expected one")
    if not (by_entry or by_mark) and "topic-request" in asked:
        _miss(lacks, f"{written(marks.TOPIC)} missing, expected {either(_usable(organisation.topic_ids, retired))}")
    return by_entry or by_mark


def _contact(traits: Traits) -> str:
    contact = marks.opaque_id(traits.headers, marks.CONTACT)
    if contact and traits.recipients > 1:
        raise BadMark(f"{written(marks.CONTACT)}: expected on mail to a single recipient only")
    return contact


def _named(name: str | None, ids: dict[str, int], retired: frozenset[int], what: str) -> int:
    number = ids.get(name or "", 0)
    if name and (not number or number in retired):
        raise BadMark(f"classify entry names a {what} that is unknown or retired, expected one in use")
    return number


def _retired(items: Iterable[_Numbered]) -> frozenset[int]:
    return frozenset(item.id for item in items if item.retired)


def _usable(ids: dict[str, int], retired: frozenset[int]) -> list[str]:
    return [name for name, number in ids.items() if number not in retired]
