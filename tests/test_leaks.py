"""What the leak check is told about a mail and its people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway import plan
from gateway.address import Address
from gateway.config.organisation import Organisation
from gateway.decision import Action
from gateway.filters import leak_check
from gateway.filters.context import Outcome
from gateway.inspection import Inspection
from gateway.leaks import allowed, leaks
from gateway.message.draft import Draft
from tests.house import NOW, envelope, news, organisation, rules
from tests.test_plan import ANNA, BERT, tenant

PARTY = {"name": "p", "title": "P", "addresses": [ANNA], "contract": "2024-01-01", "rights_clause": True}
MANY = "\r\n".join(f"p{n}@people.example" for n in range(30))


def found(
    raw: bytes, *to: str, known: tuple[str, ...] = (), who: Organisation | None = None, inside: tuple[str, ...] = ()
) -> list[tuple[Action, str]]:
    sender = tenant(who)
    reading = plan.read(sender, rules(), envelope(*to), raw, now=NOW)
    reading = replace(reading, inspection=Inspection(addresses={Address.parse(a): ("part 2",) for a in inside}))
    people = {Address.parse(a) for a in known}
    outcomes: tuple[Outcome, ...] = leaks(
        sender, envelope(*to), reading, Draft(reading.message), people, new_id=b"new@school.example"
    )
    return [(o.action, o.kind) for o in outcomes]


@pytest.mark.parametrize(
    ("changes", "leak"),
    [
        ({}, "recipients"),
        ({"to": (ANNA,), "known": (BERT,)}, "known-people"),
        ({"to": (ANNA,)}, ""),
        ({"to": (ANNA,), "known": (BERT,), "who": organisation(contacts=[BERT])}, ""),
    ],
)
def test_i1_recipients_known_people_and_contacts_are_told_apart(changes: dict[str, Any], leak: str) -> None:
    to = changes.pop("to", (ANNA, BERT))
    outcomes = found(news(text=f"Vraag {BERT}.\r\n"), *to, **changes)
    assert outcomes == ([(Action.HOLD, leak)] if leak else [])


def test_i1_what_the_inspector_found_counts_too() -> None:
    assert found(news(), ANNA, BERT, inside=(BERT,)) == [(Action.HOLD, "recipients")]


def test_s53_many_addresses_may_go_to_third_parties_under_contract_alone() -> None:
    under_contract = organisation(third_parties=[PARTY])
    held, given = [(Action.HOLD, "unknown-addresses")], [(Action.DELIVER, "given-to-party")]
    raw = news(text=MANY)
    assert found(raw, ANNA) == held
    assert found(raw, ANNA, who=under_contract) == given
    assert found(raw, ANNA, "wil@school.example", who=under_contract) == given
    sends_only = organisation(third_parties=[PARTY], internal_domains=[])
    assert found(raw, ANNA, "wil@school.example", who=sends_only) == given, "a domain it sends from is its own too"
    assert found(raw, ANNA, "x@other.example", who=under_contract) == held
    assert found(raw, "wil@school.example", who=under_contract) == held


def test_senders_and_contacts_are_seen_anyway() -> None:
    sender = tenant(organisation(contacts=["help@school.example"]))
    raw = news(ANNA, Reply_To="reply@school.example", Sender="office@school.example")
    seen = allowed(sender, plan.read(sender, rules(), envelope(ANNA), raw, now=NOW))
    names = ("info", "reply", "office", "help")
    assert {Address.parse(f"{name}@school.example").exact() for name in names} <= seen
    assert Address.parse(ANNA).exact() not in seen


@pytest.mark.parametrize(
    ("field", "gone"),
    [
        (f"X-BeenThere: {BERT}", True),
        (f"X-Mailing-List: {BERT}", True),
        (f"Autocrypt-Gossip: addr={BERT}; keydata=aGFsbG8=", True),
        (f"In-Reply-To: <1.{BERT}>", False),
        (f"Comments: from {BERT}", False),
        ("X-Contact: carl@people.example", False),
    ],
)
def test_i1_whom_to_and_cc_named_no_unread_field_tells_of(field: str, gone: bool) -> None:
    raw = news(text=f"Gevraagd door {BERT}.\r\n").replace(b"To:", f"{field}\r\nCc: {BERT}\r\nTo:".encode(), 1)
    assert found(raw, ANNA) == ([(Action.DELIVER, "fields-cut")] if gone else [])


@pytest.mark.parametrize(
    ("text", "known", "kind"),
    [
        ("Geen adres.", (), ""),
        ("Van: info@school.example.", (), ""),
        (f"Geschreven in cid:{BERT}.", (), ""),
        (f"Geschreven in cid:{BERT}.", (BERT,), "known-people"),
        (f"Vraag {BERT}.", (BERT,), "known-people"),
        (MANY, (), "unknown-addresses"),
    ],
)
def test_i1_mail_to_one_person_is_read_again_when_it_shows_anybody_else(
    text: str, known: tuple[str, ...], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    whole = leak_check.find

    def counted(mail: Draft) -> dict[Address, tuple[str, ...]]:
        looks.append(1)
        return whole(mail)

    raw = news(text=f"{text}\r\n")
    sender, to = tenant(None), envelope(ANNA)
    reading = plan.read(sender, rules(), to, raw, now=NOW)
    monkeypatch.setattr(leak_check, "find", counted)
    people = {Address.parse(a) for a in known}
    outcomes = leaks(sender, to, reading, Draft(reading.message), people, new_id=b"new@school.example")
    assert [o.kind for o in outcomes] == ([kind] if kind else [])
    assert bool(looks) == bool(kind)


def test_i1_mail_to_several_is_read_again_whenever_it_holds_anything_like_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An edit may write out where a link leads, and with it a fellow's address that nothing could read before."""
    sender, to = tenant(None), envelope(ANNA, BERT)
    reading = plan.read(sender, rules(), to, news("info@school.example", text="Dag.\r\n"), now=NOW)
    shown = {**reading.shown, Address.parse("1.2@people.example"): ("~header message-id",)}
    found = {Address.parse(BERT): ("part 1",)}
    monkeypatch.setattr(leak_check, "find", lambda _: found)
    outcomes = leaks(
        sender, to, replace(reading, shown=shown), Draft(reading.message), set(), new_id=b"n@school.example"
    )
    assert [o.kind for o in outcomes] == ["recipients"]
