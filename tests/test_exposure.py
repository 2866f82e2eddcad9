"""Whom a mail would show to others: counted as an authority would count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.audit.reading import AuditReader
from gateway.exposure import leaked, visible
from gateway.facts import Scope, ScopeKind
from gateway.message.parse import parse
from gateway.registry.protocol import EventKind
from tests.house import House, mail, news, organisation, with_client

A, B, C = "anna@people.example", "bert@people.example", "carl@elsewhere.example"
COLLEAGUE, CONTACT = "colleague@school.example", "info@school.example"


def seen(raw: bytes, *recipients: str) -> set[str]:
    found = visible(organisation(), parse(raw), [Address.parse(r) for r in recipients])
    return {a.reveal() for a in found}


@pytest.mark.parametrize(
    ("to", "fields", "recipients", "shown"),
    [
        ([A, B], {}, [A, B], {A, B}),
        ([A], {"Cc": f"{B}, {C}"}, [A, B, C], {A, B, C}),
        ([A, B, C], {}, [A], {B, C}),  # one of several transactions: A sees the others
        ([A], {}, [A], set()),
        ([A], {}, [A, B], set()),  # a blind copy: only one stands there
        ([A, COLLEAGUE, CONTACT], {}, [A, COLLEAGUE], set()),
        ([A, B], {}, [COLLEAGUE], set()),  # nobody outside sees it
        ([A, A.upper()], {}, [A], set()),  # one person in two spellings
        (["undisclosed-recipients:;"], {}, [A, B], set()),
        ([A], {"Resent-To": f"{B}"}, [A, B], {A, B}),
    ],
)
def test_l37_people_outside_are_counted_whom_others_outside_see(
    to: list[str], fields: dict[str, str], recipients: list[str], shown: set[str]
) -> None:
    names = {name.replace("-", "_"): value for name, value in fields.items()}
    assert seen(mail(*to, **names), *recipients) == shown


def test_a_leak_is_counted_as_the_leak_check_counts_it() -> None:
    found = {Address.parse(a): () for a in (A, B, C, CONTACT)}
    exact = lambda *texts: {Address.parse(t).exact() for t in texts}  # noqa: E731
    common = {"allowed": exact(CONTACT)}
    names = lambda people: {a.reveal() for a in people}  # noqa: E731
    assert names(leaked(found, recipients=exact(A, B), known=exact(C), **common)) == {A, B}
    assert names(leaked(found, recipients=exact(A), known=exact(C), **common)) == {C}
    assert names(leaked(found, recipients=exact(A), known=set(), **common)) == {B, C}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House.open(tmp_path, with_client("office", private_from=5))
    yield made
    await made.close()


async def shown(house: House) -> list[bytes]:
    return [row.pseudonym for row in AuditReader([house.spool.shard.database]).rows(what={"shown"})]


async def test_l26_the_audit_says_whom_a_visible_mail_shows_a_row_for_each(house: House) -> None:
    await house.send(mail(A, B), A, B, client="office")
    people = house.tenant.pseudonyms.people([Address.parse(A), Address.parse(B)])
    assert await shown(house) == [p.exact for p in people]


async def test_l26_private_mail_shows_nobody(house: House) -> None:
    for address in (A, B):
        await house.record(EventKind.CONSENT, address, scope=Scope(ScopeKind.LIST, 7))
    await house.send(news(A, B), A, B)
    assert len(await house.rows()) == 2
    assert await shown(house) == []


async def test_l26_mail_that_the_leak_check_holds_says_whom_it_would_show(house: House) -> None:
    for address in (A, B):
        await house.record(EventKind.CONSENT, address, scope=Scope(ScopeKind.LIST, 7))
    await house.send(news(A, B) + f"See {A} and {B}.\r\n".encode(), A, B)
    assert [entry.state for entry in await house.rows()] == ["held", "held"]
    assert len(await shown(house)) == 2


async def test_l26_a_list_that_shows_more_than_names_says_whom_it_would_show(tmp_path: Path) -> None:
    """Held for its columns, before anybody in it is known: who releases it shows these people to each other."""
    house = House.open(tmp_path, organisation(content={"name_list": {"streams": ["newsletter"]}}))
    try:
        await house.record(EventKind.CONSENT, A, scope=Scope(ScopeKind.LIST, 7))
        await house.send(news(A, text=f"Naam  E-mail\r\nBert  {B}\r\nCarl  {C}\r\n"), A)
        (row,) = await house.rows()
        assert row.reason.startswith("content_check: name-list: 2 email")
        assert await shown(house) == [
            p.exact for p in house.tenant.pseudonyms.people([Address.parse(a) for a in (B, C)])
        ]
    finally:
        await house.close()
