"""What the copies of campaigns showed so far: for each slot, which addresses and how many people had each.

what:       `Family` (campaigns of one sender) folded from entries, `Campaign`; how likeness becomes a verdict
takes→gives: entries → campaigns; features → the campaign they are of; addresses of one copy → `Compared`
knows not:  stores, clocks, how hashes are keyed beyond the key it is given
fails by:   nothing: an entry that cannot be read is passed over
standard:   R-059; DESIGN §4 Trackers
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gateway.agreement import SAMPLE, Pool
from gateway.compared import NEVER, Compared, Sameness, Verdict
from gateway.filters.campaign_addresses import (
    Parameter,
    Place,
    Seen,
    keys,
    parameters,
    picture,
    plain_page,
    without,
)

MOST_RECORDS = 8_000
"""Of one campaign; a record is one address of one person."""
MOST_CAMPAIGNS = 64
"""Of one family; the oldest are forgotten."""
MOST_PAIRS = 16
"""Parameters of one address."""
_NEARLY = 0.15  # names and blocks of some recipients make copies of one campaign differ by that
_MOST_KNOWN = 2000

TAG = 6
_HASH = 6
_PERSON = 4
_RECORD = _HASH + _HASH + _PERSON
_FEATURE = 4
_VERSION = 1
_HEAD = 1 + TAG + 2  # version, tag, number of features of subject and content

Record = bytes
"""Slot, address and person, hashed: 6, 6 and 4 octets."""
_Features = frozenset[bytes]


class Campaign:
    """Copies taken for one campaign. `fresh`: records that nobody else knows yet; `told`: the features are stored."""

    def __init__(self, tag: bytes, subject: _Features, content: _Features, key: bytes, *, told: bool = True) -> None:
        self.tag = tag
        self.subject = subject
        self.content = content
        self.told = told
        self.fresh: list[Record] = []
        self._keyed = hashlib.blake2b(tag, key=key)
        self._pools: dict[bytes, Pool] = {}
        self._slots: dict[str, bytes] = {}
        self._common: set[Place] = set()
        self.records = 0
        self._people: set[bytes] = set()

    @property
    def young(self) -> bool:
        """Whether every further copy still teaches something."""
        return len(self._people) < SAMPLE

    def person(self, address: bytes) -> bytes:
        """A recipient as this campaign knows them, and no other."""
        keyed = self._keyed.copy()
        keyed.update(b"\0person\0" + address)
        return keyed.digest()[:_PERSON]

    def add(self, record: Record) -> bool:
        """Whether that was news."""
        if len(record) != _RECORD or self.records >= MOST_RECORDS:
            return False
        slot, value, person = record[:_HASH], record[_HASH : 2 * _HASH], record[2 * _HASH :]
        if not self._pools.setdefault(slot, Pool()).add(value, person):
            return False
        self.records += 1
        if len(self._people) < SAMPLE:
            self._people.add(person)
        return True

    def compare(self, seen: Seen, me: frozenset[bytes], enough: int) -> Compared:
        """What others' copies say about mine, which is one of them from now on.

        `me`: those who get it; `enough`: people that make an address common.
        """
        found: dict[str, Verdict] = {}
        spots: list[_Spot] = []
        for place in seen.places:
            if place in self._common:
                found[place.address] = _COMMON
            else:
                spots.append(self._spot(place, me))
        copy = _Copy(seen.places, Counter(spot.slot for spot in spots if not spot.others))
        for spot in spots:
            verdict = self._verdict(spot, me, enough, copy)
            if verdict is not _UNKNOWN and found.get(spot.place.address) is not _COMMON:
                found[spot.place.address] = verdict
        return Compared(found) if found else NEVER

    def settle(self) -> None:
        """Nothing of it is to be written."""
        self.fresh.clear()
        self.told = True

    def _note(self, slot: bytes, value: bytes, me: frozenset[bytes]) -> None:
        for person in me:
            record = slot + value + person
            if self.add(record):
                self.fresh.append(record)

    def _spot(self, place: Place, me: frozenset[bytes]) -> _Spot:
        slot, value = self._slot(place.slot), self._hash(place.address)
        pool = self._pools.get(slot, _EMPTY)
        return _Spot(place, slot, value, pool, pool.others(value, me))

    def _verdict(self, spot: _Spot, me: frozenset[bytes], enough: int, copy: _Copy) -> Verdict:
        verdict, pairs = _UNKNOWN, list[_Trait]()
        several, full = len(me) > 1, spot.pool.full(me)
        if spot.others + len(me) >= enough and (spot.others or several):
            verdict = _COMMON
            if spot.others >= enough and len(self._common) < _MOST_KNOWN:
                self._common.add(spot.place)  # whoever gets the next copy, this stays true
        elif not spot.others:
            own = not several and self._own(spot, me, copy)
            pairs = self._pairs(spot.place) if own or not full else []
            verdict = Verdict(Sameness.INDIVIDUAL, self._shared_form(spot.place, pairs, me, copy)) if own else _UNKNOWN
        if not full:
            self._note(spot.slot, spot.value, me)
            for trait in (*pairs, *self._traits(spot.place)) if not spot.others else ():
                self._note(trait.slot, trait.value, me)
        return verdict

    def _own(self, spot: _Spot, me: frozenset[bytes], copy: _Copy) -> bool:
        """Whether what only I have is what the others have their own of, and not another picture or article."""
        if not spot.pool.individual(me):
            return False
        if not spot.place.link and (name := picture(spot.place.address)) and not self._shared(spot.place, name, me):
            return False
        if spot.pool.settled(copy.singles[spot.slot]):
            return True
        return any(not self._shared(spot.place, key, me) for key in keys(spot.place.address))

    def _shared(self, place: Place, text: str, me: frozenset[bytes]) -> bool:
        """Whether others have this key or name in that kind of place too."""
        trait = self._trait(place, text)
        return self._pools.get(trait.slot, _EMPTY).others(trait.value, me) > 0

    def _traits(self, place: Place) -> list[_Trait]:
        """Keys in the address, and the name of the picture."""
        name = "" if place.link else picture(place.address)
        return [self._trait(place, text) for text in (*keys(place.address), name) if text]

    def _trait(self, place: Place, text: str) -> _Trait:
        return _Trait(self._slot(f"trait {place.slot}"), self._hash(text))

    def _shared_form(self, place: Place, pairs: Sequence[_Trait], me: frozenset[bytes], copy: _Copy) -> str:
        """The address without the pairs that differ, where all others are shared; "" where that is not enough."""
        gone: set[Parameter] = set()
        for pair in pairs:
            pool = self._pools.get(pair.slot, _EMPTY)
            if pool.others(pair.value, me):
                continue
            if not pool.individual(me) or (place.link and not copy.carries(place.address, pair.written)):
                return ""
            gone.add(pair.written)
        return without(place.address, frozenset(gone)) if gone else ""

    def _pairs(self, place: Place) -> list[_Trait]:
        """The parameters of an address as slots of their own: same page, same name."""
        page, pairs = parameters(place.address)
        if not pairs or (place.link and not plain_page(page)):
            return []
        kind = "link" if place.link else "load"
        return [
            _Trait(self._slot(f"pair {kind} {page} {pair.name}"), self._hash(pair.value), pair)
            for pair in pairs[:MOST_PAIRS]
        ]

    def _slot(self, text: str) -> bytes:
        if (known := self._slots.get(text)) is None:
            known = self._hash(text)
            if len(self._slots) < _MOST_KNOWN:
                self._slots[text] = known
        return known

    def _hash(self, text: str) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.digest()[:_HASH]


class _Spot(NamedTuple):
    """A place of my copy in its pool. `others`: people beside me who had the very same."""

    place: Place
    slot: bytes
    value: bytes
    pool: Pool
    others: int


class _Trait(NamedTuple):
    """Something about an address, with a slot of its own, hashed; a parameter also as it is written."""

    slot: bytes
    value: bytes
    written: Parameter = Parameter("", "")


_EMPTY = Pool()
_COMMON = Verdict(Sameness.COMMON)
_UNKNOWN = Verdict(Sameness.UNKNOWN)


class _Copy:
    """One copy as a whole. `singles`: by slot, how many of its addresses nobody else had."""

    def __init__(self, places: Sequence[Place], singles: Counter[bytes]) -> None:
        self.singles = singles
        self._places = places
        self._pages: dict[str, set[str]] | None = None
        self._carried: dict[tuple[str, Parameter], set[str]] = {}

    def carries(self, address: str, pair: Parameter) -> bool:
        """Whether the same pair is on several pages of this host, and on at least half of those linked to.

        Else it may name a thing: an order, an article.
        """
        if self._pages is None:
            self._read()
        host = _host(address)
        pages = len((self._pages or {}).get(host, ()))
        carrying = len(self._carried.get((host, pair), ()))
        return carrying >= 2 and carrying * 2 >= pages

    def _read(self) -> None:
        self._pages = {}
        for place in self._places:
            if place.link:
                before, pairs = parameters(place.address)
                host = _host(before)
                self._pages.setdefault(host, set()).add(before)
                for pair in pairs:
                    self._carried.setdefault((host, pair), set()).add(before)


def _host(address: str) -> str:
    return address.partition("//")[2].partition("/")[0].partition("?")[0].lower()


class Family:
    """Campaigns of one sender within one epoch, folded from what all workers wrote. `key`: of both together."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.campaigns: dict[bytes, Campaign] = {}
        self._numbers: dict[int, bytes] = {}

    @property
    def records(self) -> int:
        """How much of it is remembered."""
        return sum(campaign.records for campaign in self.campaigns.values())

    def apply(self, entry: bytes) -> None:
        """Take in what somebody wrote, perhaps this very process."""
        if len(entry) < _HEAD or entry[0] != _VERSION:
            return
        tag, subjects, contents = entry[1 : 1 + TAG], entry[_HEAD - 2], entry[_HEAD - 1]
        features = [entry[i : i + _FEATURE] for i in range(_HEAD, _HEAD + (subjects + contents) * _FEATURE, _FEATURE)]
        campaign = self.campaigns.get(tag)
        if campaign is None:
            campaign = self.begin(tag, frozenset(features[:subjects]), frozenset(features[subjects:]), told=True)
        body = entry[_HEAD + (subjects + contents) * _FEATURE :]
        for at in range(0, len(body), _RECORD):
            campaign.add(body[at : at + _RECORD])

    def begin(self, tag: bytes, subject: _Features, content: _Features, *, told: bool = False) -> Campaign:
        """A new campaign; the oldest is forgotten where there are too many."""
        while len(self.campaigns) >= MOST_CAMPAIGNS:
            del self.campaigns[next(iter(self.campaigns))]
        made = self.campaigns[tag] = Campaign(tag, subject, content, self.key, told=told)
        return made

    def match(self, subject: _Features, content: _Features) -> Campaign | None:
        """The campaign a copy with these features is of.

        Of several that are nearly as like, the one with the lowest tag: workers that began the same campaign at the
        same time then agree as soon as they know of each other.
        """
        alike: list[tuple[float, Campaign]] = []
        for campaign in self.campaigns.values():
            likeness = _alike(content, campaign.content) if content or campaign.content else 0.5
            if _same(_alike(subject, campaign.subject), likeness):
                alike.append((likeness, campaign))
        if not alike:
            return None
        least = max(likeness for likeness, _ in alike) - _NEARLY
        return min((campaign for likeness, campaign in alike if likeness >= least), key=_tag)

    def features(self, numbers: Iterable[int]) -> _Features:
        """Features as they are stored: keyed, so that no text can be guessed from them later."""
        return frozenset(self._feature(number) for number in numbers)

    def _feature(self, number: int) -> bytes:
        if (known := self._numbers.get(number)) is None:
            if len(self._numbers) >= _MOST_KNOWN:
                self._numbers.clear()
            text = number.to_bytes(4, "big")
            known = self._numbers[number] = hashlib.blake2b(text, key=self.key, digest_size=_FEATURE).digest()
        return known


def entries(campaign: Campaign, most: int = 500) -> Iterator[bytes]:
    """What is fresh of a campaign, as entries for the store; it is not fresh any more."""
    while campaign.fresh or not campaign.told:
        subject, content = (campaign.subject, campaign.content) if not campaign.told else ((), ())
        head = bytes([_VERSION]) + campaign.tag + bytes([min(len(subject), 255), min(len(content), 255)])
        records, campaign.fresh = campaign.fresh[:most], campaign.fresh[most:]
        campaign.told = True
        yield b"".join((head, *sorted(subject)[:255], *sorted(content)[:255], *records))


def _tag(campaign: Campaign) -> bytes:
    return campaign.tag


def _alike(one: _Features, other: _Features) -> float:
    """Jaccard's likeness of two sets, 0 to 1; two empty ones are equal."""
    both = len(one & other)
    either = len(one) + len(other) - both
    return both / either if either else 1.0


def _same(subject: float, content: float) -> bool:
    """A name in the subject or the text makes no other campaign; another subject does unless the text is the same."""
    return content >= 0.85 or (content >= 0.5 and subject >= 0.5) or (content >= 0.7 and subject >= 0.2)
