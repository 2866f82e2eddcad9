"""What is looked into before a mail is decided: its texts where they could hold a list, and its attachments.

what:       parts → items; the injected inspector's answer without the organisation's own data; what follows from it
takes→gives: `Tenant`, `Envelope`, `Read` → `Read` with its `inspection`; then → outcomes
knows not:  formats, detectors, processes
fails by:   `InspectorUnavailable`
standard:   S-11, S-53; I-1, I-3; R-050
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from gateway.address import Address, InvalidAddress
from gateway.config.content import Limits, limits
from gateway.config.organisation import Organisation
from gateway.documents import kinds, magic, phones, postcodes
from gateway.documents.inspect import inspect
from gateway.documents.magic import Format
from gateway.documents.protocol import Bounds
from gateway.documents.read import readable
from gateway.documents.suspicion import Known, suspicious
from gateway.envelope import Envelope
from gateway.filters import calendar, content_check, sensitive
from gateway.filters.content_check import Audience
from gateway.filters.context import Outcome
from gateway.filters.readable import reads
from gateway.inspection import NOTHING, Inspection, Item, Kind, Unread, mark
from gateway.message.draft import Draft
from gateway.message.parse import Part
from gateway.policy.sharing import belongs
from gateway.tenant import Tenant

if TYPE_CHECKING:
    from gateway.plan import Read

MOST_ITEMS = 200
MOST_OCTETS = 64 * 2**20
"""Of one mail; the rest of it cannot be inspected (R-050)."""
# Machines tell each other here what became of a mail; the leak check reads the addresses in it.
_REPORTS = frozenset(
    {
        *(f"message/{n}" for n in ("delivery-status", "disposition-notification", "feedback-report")),
        *("message/global-delivery-status", "message/global-disposition-notification", "message/global-headers"),
        "text/rfc822-headers",
    }
)
_TEXTS = frozenset({Format.PLAIN, Format.DELIMITED, Format.HTML})
_LIST = 3  # values of one kind that make a list of running text
_LARGEST_TEXT = 1024 * 1024  # characters that are looked at in passing; a longer text is inspected


class InspectorUnavailable(Exception):
    """Nothing can be looked into now; the mail waits undecided (I-3)."""


class Inspector(Protocol):
    """Looks into items somewhere. Raises `InspectorUnavailable`."""

    async def inspect(self, items: Sequence[Item], words: tuple[str, ...] = ()) -> Inspection: ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """Looks into items right here: for one's own mails, as `explain` reads them."""

    bounds: Bounds = field(default_factory=Bounds)

    async def inspect(self, items: Sequence[Item], words: tuple[str, ...] = ()) -> Inspection:
        return inspect(items, self.bounds, words=words)


@dataclass(frozen=True, slots=True)
class Inside:
    """What to ask the inspector, what is known without it, and the paths of parts that the leak check reads.

    `words` make a mail sensitive that is not so yet (S-25); with them, `counted` says whether anything else is asked:
    mail that stays inside the organisation is looked into for words alone.
    """

    items: tuple[Item, ...] = ()
    unread: tuple[Unread, ...] = ()
    read: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    counted: bool = True


def inside(tenant: Tenant, envelope: Envelope, reading: Read) -> Inside:
    """The parts worth looking into. Mail that stays inside the organisation is not looked into, but for words."""
    to, words = audience(tenant, envelope, reading), _sought(tenant.organisation, reading)
    counted = bool(to.strangers or to.parties)
    if not counted and not words:
        return Inside()
    found, unread, read = list[Item](), list[Unread](), set[str]()
    bounds, size = limits_of(tenant, reading), 0
    draft = Draft(reading.message)
    searched = {part.path for part in reading.message.text_parts()} if words else set[str]()
    for part in _leaves(reading):
        if "encrypted" in part.sealed:
            unread.append(Unread(part.path, part.sealed))
            continue
        always = bool(words) and part.path not in searched
        if (item := _item(tenant.organisation, draft, part, bounds, always=always)) is not None:
            size += len(item.content)
            if len(found) >= MOST_ITEMS or size > MOST_OCTETS:
                unread.append(Unread(part.path, "too much to look into"))
                continue
            found.append(item)
            if reads(part):
                read.add(part.path)
    return Inside(tuple(found), tuple(unread), frozenset(read), words, counted)


def _sought(organisation: Organisation, reading: Read) -> tuple[str, ...]:
    """Words that would make this mail sensitive; the filter has searched the subject and the text for them."""
    return () if reading.said.sensitive else organisation.sensitive.sought(reading.said.stream)


async def look(tenant: Tenant, envelope: Envelope, reading: Read, asked: Inside, inspector: Inspector) -> Read:
    """`reading` with what was found. Mail without anything to look into asks nobody."""
    found = NOTHING
    if asked.items:
        found = await inspector.inspect(asked.items, asked.words)
        reading = _with_care(reading, found)
    if not asked.counted or (found is NOTHING and not asked.unread):
        return reading
    found = replace(found, unread=(*asked.unread, *found.unread))
    found = _without_own(tenant.organisation, envelope, found)
    return replace(reading, inspection=replace(found, addresses=_unseen(found.addresses, asked.read)))


def _with_care(reading: Read, found: Inspection) -> Read:
    """Sensitive by what its attachments say (S-25)."""
    if not found.worded:
        return reading
    said = replace(reading.said, sensitive=True, detected=sensitive.in_part(found.worded[0]))
    handled = said if reading.classification is reading.said else reading.classification
    return replace(reading, said=said, classification=handled)


def judge(tenant: Tenant, envelope: Envelope, reading: Read) -> tuple[Outcome, ...]:
    """What follows, by the organisation's settings."""
    if reading.inspection is NOTHING:
        return ()
    return content_check.check(reading.inspection, limits_of(tenant, reading), audience(tenant, envelope, reading))


def limits_of(tenant: Tenant, reading: Read) -> Limits:
    """What holds for this mail's client and stream."""
    stream = reading.classification.stream
    return limits(tenant.organisation.content, reading.client.name, stream, private=reading.private)


def audience(tenant: Tenant, envelope: Envelope, reading: Read) -> Audience:
    """Who outside the organisation gets this mail."""
    organisation = tenant.organisation
    own = organisation.own_domains
    outside = [r.address for r in envelope.recipients if not r.postmaster and r.address.canonical_domain not in own]
    parties = sum(1 for a in outside if any(belongs(party, a) for party in organisation.third_parties))
    return Audience(len(outside) - parties, parties, reading.client.kind == "people")


def _leaves(reading: Read) -> Iterator[Part]:
    for part in reading.message.walk():
        if part.content_type == calendar.KIND and not part.attachment:
            continue  # guests are no list of people, and on private mail they leave the invitation
        if not part.children and not part.content_type.startswith("multipart/") and part.content_type not in _REPORTS:
            yield part


def _item(organisation: Organisation, draft: Draft, part: Part, bounds: Limits, *, always: bool) -> Item | None:
    """`always`: whatever it says, it is to be read; but an encrypted text shows its words to nobody."""
    content = draft.content(part)
    if part.content_type.startswith("text/") and _as_told(part, content):
        text = content.decode(draft.scan_charset(part), "replace")
        least = _LIST if bounds.lists else bounds.addresses
        wanted = always and magic.of("", "", content) is not Format.ENCRYPTED
        passing = len(text) <= _LARGEST_TEXT and not wanted
        if passing and not suspicious(text, least, known(organisation), headed=bounds.lists):
            return None
        content = text.encode("utf-8", "replace")
    item = Item(part.path, part.filename, part.content_type, content)
    return item if readable(item) else None


def _as_told(part: Part, content: bytes) -> bool:
    """Whether what calls itself text is text, to whoever opens it."""
    return b"\0" not in content and (not part.attachment or magic.of(part.filename, "", content) in _TEXTS)


def _without_own(organisation: Organisation, envelope: Envelope, found: Inspection) -> Inspection:
    """Findings of others: not of the organisation and its people, not of the only recipient."""
    domains = known(organisation).domains
    own = set(_own_values(_own_texts(organisation)))
    own |= {(Kind.EMAIL, kinds.mail_value(a)) for a in found.addresses if a.canonical_domain in domains}
    if len(envelope.recipients) == 1:
        own.add((Kind.EMAIL, kinds.mail_value(envelope.recipients[0].address)))
    marks = {mark(found.key, kind, value) for kind, value in own}
    return replace(found, findings=tuple(f for f in found.findings if f.mark not in marks))


def _unseen(addresses: Mapping[Address, tuple[str, ...]], read: Iterable[str]) -> dict[Address, tuple[str, ...]]:
    """Addresses in parts that the leak check does not read itself: those it reads as they will leave."""
    known_parts = {f"part {path}" for path in read}
    kept = {a: tuple(p for p in places if p.partition(",")[0] not in known_parts) for a, places in addresses.items()}
    return {address: places for address, places in kept.items() if places}


def known(organisation: Organisation) -> Known:
    """Whose data does not count when a text is looked at in passing."""
    return _known(_own_texts(organisation), organisation.own_domains)


@lru_cache(maxsize=64)
def _known(texts: tuple[str, ...], domains: frozenset[str]) -> Known:
    values = _own_values(texts)
    numbers = frozenset(value[-9:] for kind, value in values if kind is Kind.PHONE)
    codes = frozenset(value.partition(" ")[0] for kind, value in values if kind is Kind.POSTCODE)
    return Known(domains, numbers, codes)


@lru_cache(maxsize=64)
def _own_values(texts: tuple[str, ...]) -> frozenset[tuple[Kind, str]]:
    """Everything personal in the organisation's own texts, read as running text and as cells."""
    values = {(found.kind, found.value) for text in texts for found in kinds.find(text)}
    values |= {(kind, value.partition(" ")[0]) for kind, value in values if kind is Kind.POSTCODE}
    values |= {(Kind.PHONE, number) for text in texts if (number := phones.cell(text))}
    values |= {(Kind.STREET, postcodes.street(text.partition(",")[0])) for text in texts}
    values |= {(Kind.EMAIL, kinds.mail_value(address)) for text in texts if (address := _address(text)) is not None}
    return frozenset(values)


def _own_texts(organisation: Organisation) -> tuple[str, ...]:
    controller, footer = organisation.controller, organisation.footer
    return (
        *organisation.content.own,
        *organisation.contacts,
        controller.contact,
        controller.postal_address,
        organisation.postmaster,
        *footer.link.values(),
        *footer.how_to.values(),
    )


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddress:
        return None
