"""Nobody sees anybody: the last look at a private mail, after all edits.

what:       every address a copy would show, wherever it stands, and whether one is a leak; header fields that nobody
            reads are cut where that ends the leak
takes→gives: `Draft` or `Message` → addresses and places; those + who may be seen → an `Outcome` or None
knows not:  pseudonyms, the registry (what it knows comes in)
fails by:   nothing; what is too much to look at counts as a leak
standard:   DESIGN I-1; S-10, S-53; R-025, R-028, R-030. Linear; attachments that are no text are not decoded
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from gateway.address import Address
from gateway.config.organisation import Client
from gateway.decision import Action
from gateway.filters import naming_fields
from gateway.filters.context import Outcome
from gateway.filters.readable import pieces
from gateway.filters.tokens import tokens
from gateway.message.draft import Draft
from gateway.message.parse import Message
from gateway.reply import LEAK

NAME = "leak_check"
UNKNOWN = "unknown-addresses"
MOST = 20_000
"""Distinct addresses looked at in one mail; more than that is an address book, not a mail."""
NOTHING_MORE: Mapping[Address, tuple[str, ...]] = {}
_UNSURE = "~"
_PLACES_NAMED = 5
_PLACES_KEPT = 8


def find(mail: Draft | Message) -> dict[Address, tuple[str, ...]]:
    """Every address-like token of the mail as it would leave, once per canonical form, with the places it stands in.

    A place that begins with "~" is an id, a file name or a second reading: enough to match a person, not enough to
    count as an unknown address. Stops at `MOST`, which `check` takes for a leak.
    """
    draft = mail if isinstance(mail, Draft) else Draft(mail)
    places: dict[bytes, tuple[Address, dict[str, None]]] = {}
    spelled: dict[tuple[str, str], bytes] = {}
    for where, text, counts in pieces(draft):
        for address, sure in tokens(text):
            key = _canonical(address, spelled)
            _, seen = places.setdefault(key, (address, {}))
            if len(seen) < _PLACES_KEPT:
                seen[where if sure and counts else _UNSURE + where] = None
            if len(places) >= MOST:
                return {found: tuple(held) for found, held in places.values()}
    return {found: tuple(held) for found, held in places.values()}


def _canonical(address: Address, spelled: dict[tuple[str, str], bytes]) -> bytes:
    spelling = (address.local, address.domain)
    known = spelled.get(spelling)
    if known is None:
        known = spelled[spelling] = address.exact()
    return known


def check(
    found: Mapping[Address, Iterable[str]],
    *,
    recipients: Set[bytes],
    known: Set[bytes],
    allowed: Set[bytes],
    client: Client,
) -> Outcome | None:
    """Whether what `find` saw may be seen. All sets hold exact canonical forms (`Address.exact`).

    A leak: a recipient of a mail to several, a person the registry knows, or more unknown addresses than the client's
    `unknown_addresses`. Not a leak: `allowed`, and the only recipient. Held for systems, refused for people; the
    outcome names kind, number and place, never an address.
    """
    shown = _shown(found, recipients, allowed)
    fellows = [places for key, places in shown.items() if key in recipients]
    if fellows:
        return _leak("recipients", fellows, client)
    if people := [places for key, places in shown.items() if key in known]:
        return _leak("known-people", people, client)
    unknown = list(_counted(shown).values())
    if len(unknown) > client.unknown_addresses or len(found) >= MOST:
        return _leak(UNKNOWN, unknown, client)
    return None


def shows(
    found: Mapping[Address, Iterable[str]], *, recipients: Set[bytes], known: Set[bytes], allowed: Set[bytes]
) -> bool:
    """Whether there is anybody in `found` who could be a leak: cheaper than `find` once more, and says as `check` does.

    Ids have the shape of an address: such a one counts where it is a person's.
    """
    shown = _shown(found, recipients, allowed)
    people = any(key in recipients or key in known for key in shown)
    return people or bool(_counted(shown)) or len(found) >= MOST


def settle(
    draft: Draft,
    *,
    recipients: Set[bytes],
    known: Set[bytes],
    allowed: Set[bytes],
    client: Client,
    new_id: bytes,
    more: Mapping[Address, tuple[str, ...]] = NOTHING_MORE,
    to_party: bool = False,
    hidden: Set[bytes] = frozenset(),
) -> tuple[Outcome, ...]:
    """`find` and `check`; where that is a leak, what `naming_fields` can cut is cut, and the mail is looked at again.

    `more` are addresses that others found in it, `new_id` a msg-id for a Message-ID that names somebody; `to_party`
    says that nobody outside gets it but a listed third party, to whom lists may go (S-53). `hidden` are those whom To
    and Cc named before our edits: no field that nobody reads may tell of them, leak or not. Gives notes of what was
    cut, and the leak that is left, if any.
    """

    def judged() -> tuple[Mapping[Address, tuple[str, ...]], Outcome | None]:
        found = _joined(find(draft), more)
        leak = check(found, recipients=recipients, known=known, allowed=allowed, client=client)
        given = leak is not None and leak.kind == UNKNOWN and to_party
        return found, Outcome(NAME, "given-to-party", detail=leak.detail) if given and leak else leak

    found, leak = judged()
    stops = leak is not None and leak.action is not Action.DELIVER
    shown = _shown(found, recipients, allowed)
    people = {key for key in hidden & shown.keys() if any(_in_header(place) for place in shown[key])}
    if stops:
        people |= {key for key in shown if key in recipients or key in known} or set(_counted(shown))
    counts = naming_fields.cut(draft, people, new_id) if people else {}
    if not counts:
        return () if leak is None else (leak,)
    if stops:
        _, leak = judged()
    notes = tuple(Outcome(NAME, kind, detail=f"{count} fields") for kind, count in counts.items())
    return notes if leak is None else (*notes, leak)


def _in_header(place: str) -> bool:
    return place.removeprefix(_UNSURE).startswith("header ")


def _joined(
    found: Mapping[Address, tuple[str, ...]], more: Mapping[Address, tuple[str, ...]]
) -> Mapping[Address, tuple[str, ...]]:
    if not more:
        return found
    joined = dict(found)
    for address, places in more.items():
        joined[address] = (*joined.get(address, ()), *places)
    return joined


def _shown(
    found: Mapping[Address, Iterable[str]], recipients: Set[bytes], allowed: Set[bytes]
) -> dict[bytes, tuple[str, ...]]:
    """Places of everybody whom a copy shows to another, by exact canonical form."""
    own = recipients if len(recipients) == 1 else frozenset[bytes]()
    shown: dict[bytes, tuple[str, ...]] = {}
    for address, places in found.items():
        if (key := address.exact()) not in allowed and key not in own:
            shown[key] = (*shown.get(key, ()), *places)
    return shown


def _counted(shown: Mapping[bytes, tuple[str, ...]]) -> dict[bytes, tuple[str, ...]]:
    """Those who are addresses for sure in one place at least."""
    return {key: places for key, places in shown.items() if any(not p.startswith(_UNSURE) for p in places)}


def _leak(kind: str, shown: list[tuple[str, ...]], client: Client) -> Outcome:
    places = list(dict.fromkeys(p.removeprefix(_UNSURE) for each in shown for p in each))
    more = " and elsewhere" if len(places) > _PLACES_NAMED else ""
    detail = f"{len(shown)} {kind.replace('-', ' ')} in {', '.join(places[:_PLACES_NAMED])}{more}"
    if client.kind == "people":
        return Outcome(NAME, kind, Action.REFUSE, detail, LEAK.because(detail))
    return Outcome(NAME, kind, Action.HOLD, detail)
