"""The account of a mail that was never sent: the same plan, nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway.address import Address
from gateway.cli.account import lines
from gateway.decision import Basis, Classification, Stream
from gateway.explanation import Answer, Question, assume_consent, explain
from gateway.facts import NOBODY, Block, BlockKind, Facts, Scope, ScopeKind
from gateway.pseudonym import Person
from gateway.tenant import Tenant
from tests.house import NOW, mail, news, organisation, rules
from tests.test_plan import ANNA, BERT, KEYS, NEWS, READER, tenant


@dataclass
class Known:
    """A registry that only answers."""

    facts_of: dict[str, Facts]

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        by_pseudonym = {KEYS.person(Address.parse(a)).exact: f for a, f in self.facts_of.items()}
        return [by_pseudonym.get(p.exact, NOBODY) for p in people]


def with_people(**known: Facts) -> Tenant:
    return replace(tenant(), registry=Known({f"{name}@people.example": f for name, f in known.items()}))  # type: ignore[arg-type]


async def ask(raw: bytes, *to: str, who: Tenant | None = None, **values: Any) -> Answer:
    recipients = tuple(Address.parse(a) for a in to)
    question = Question("crm", raw, None, recipients, NOW, **values)
    return await explain(who or with_people(anna=READER), rules(), question)


async def test_i11_each_recipient_gets_the_rule_and_the_fact_that_decided() -> None:
    answer = await ask(news(ANNA, BERT))
    anna, bert = answer.account["recipients"]  # type: ignore[misc]
    assert (anna["recipient"], anna["action"], anna["provider"]) == (ANNA, "deliver", "bulk")
    assert (bert["action"], bert["reply"][:3]) == ("refuse", "550")
    assert [t["rule"] for t in bert["rules_tried"] if t["decided"]] == [bert["rule"]]
    assert set(answer.finished) == {0}


async def test_what_would_leave_is_signed() -> None:
    answer = await ask(news(ANNA), ANNA)
    assert answer.finished[0].startswith(b"DKIM-Signature:")


async def test_edits_come_with_their_ranges() -> None:
    answer = await ask(news(ANNA), ANNA)
    edits = answer.account["variants"]["nl/untracked"]["edits"]  # type: ignore[index]
    link = next(e for e in edits if e["kind"] == "opt-out-text")
    assert link["slots"] == ["opt-out"]
    assert link["start"] == link["end"] <= len(news(ANNA))


async def test_a_refusal_is_an_account_too() -> None:
    for raw in (mail(ANNA), b"no message", news()):
        answer = await ask(raw)
        assert str(answer.account["refused"])[0] == "5"
        assert (answer.made, answer.finished) == (None, {})


async def test_a_stop_names_the_filter_and_finishes_nothing() -> None:
    raw = news(ANNA, text=f"Ask {BERT}.\r\n")
    answer = await ask(raw, ANNA, who=with_people(anna=READER, bert=replace(NOBODY, known=True)))
    (anna,) = answer.account["recipients"]  # type: ignore[misc]
    assert (anna["action"], anna["rule"], answer.finished) == ("hold", "leak_check", {})


async def test_r022_it_knows_the_postmaster_too() -> None:
    answer = await ask(mail("postmaster"), "postmaster")
    (found,) = answer.account["recipients"]  # type: ignore[misc]
    assert (found["recipient"], found["rule"]) == ("beheer@school.example", "postmaster")


async def test_assumed_consent_is_to_this_stream_and_blocks_stay() -> None:
    who = with_people(anna=Facts(blocks=(Block(BlockKind.OPT_OUT, NEWS, 1, 2),)))
    answer = await ask(news(ANNA, BERT), who=who, assume_consent=True)
    anna, bert = answer.account["recipients"]  # type: ignore[misc]
    assert (anna["action"], bert["action"]) == ("refuse", "deliver")


@pytest.mark.parametrize(
    ("marks", "scope"),
    [
        (Classification(Stream.NEWSLETTER, list=7), NEWS),
        (Classification(Stream.NOTIFICATION, topic=3), Scope(ScopeKind.TOPIC, 3)),
    ],
)
def test_assumed_consent_covers_what_the_marks_name(marks: Classification, scope: Scope) -> None:
    facts = assume_consent(NOBODY, marks, NOW)
    assert facts.consents_to(scope)
    assert not assume_consent(NOBODY, Classification(Stream.WEBSHOP, basis=Basis.CONTRACT), NOW).consents


async def test_s11_what_stands_in_the_content_is_told_by_kind_and_place() -> None:
    text = "Naam  Telefoon\r\nAnna  06-12345678\r\nBert  06-12345679\r\n"
    lists = {"name_list": {"streams": ["newsletter"]}}
    who = replace(with_people(anna=READER), organisation=organisation(content=lists))
    answer = await ask(news(ANNA, text=text), ANNA, who=who)
    content: Any = answer.account["content"]
    (found,) = content["found"]
    assert found == {"kind": "phone", "number": 2, "listed": 2, "where": ["part 1, line 2", "part 1, line 3"]}
    assert content["unread"] == []
    (anna,) = answer.account["recipients"]  # type: ignore[misc]
    assert (anna["action"], anna["rule"], anna["fact"]) == ("hold", "content_check", "name-list")
    said = "\n".join(lines(answer.account))
    assert "content: 2 phone, 2 in a list: part 1, line 2; part 1, line 3" in said
    assert "12345678" not in said
