"""Nobody sees anybody."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.address import Address
from gateway.config.organisation import Client
from gateway.decision import Action
from gateway.filters import header_hygiene, private_recipients
from gateway.filters.context import Outcome
from gateway.filters.leak_check import MOST, check, find
from gateway.message.parse import MalformedMessage
from gateway.message.template import Uncompilable
from gateway.reply import LEAK
from tests.filters.mail import CONTEXT, ORGANISATION, draft, left

SYSTEM, PEOPLE = ORGANISATION.by_client["crm"], ORGANISATION.by_client["kantoor"]
HEAD = "From: info@voorbeeld.example\n"
ALLOWED = {b"1e:info@voorbeeld.example"}


def exact(*names: str) -> set[bytes]:
    return {Address.parse(f"{n}@example.org").exact() for n in names}


def judge(text: str, *recipients: str, client: Client = SYSTEM, **sets: Any) -> Outcome | None:
    given: dict[str, Any] = {"known": set(), "allowed": ALLOWED} | sets
    return check(find(draft(HEAD + text)), recipients=exact(*recipients), client=client, **given)


def test_another_recipient_in_the_text_is_a_leak() -> None:
    outcome = judge("\nook bert@example.org komt\n", "anna", "bert")
    assert outcome is not None
    assert (outcome.action, outcome.kind, outcome.detail) == (Action.HOLD, "recipients", "1 recipients in part 1")


def test_people_are_answered_at_once_and_systems_are_held() -> None:
    outcome = judge("\nook bert@example.org komt\n", "anna", "bert", client=PEOPLE)
    assert outcome is not None
    assert outcome.action is Action.REFUSE
    assert outcome.reply is not None
    assert outcome.reply == LEAK.because("1 recipients in part 1")


def test_a_mail_to_several_may_not_even_show_the_own_address_to_all() -> None:
    assert judge("\nbeste anna@example.org\n", "anna", "bert") is not None


def test_the_only_recipient_may_see_the_own_address() -> None:
    assert judge("To: Anna@Example.ORG\n\nbeste anna@example.org\n", "anna") is None


def test_a_person_the_registry_knows_is_a_leak_to_anyone_else() -> None:
    outcome = judge("\nbert@example.org\n", "anna", known=exact("anna", "bert"))
    assert outcome is not None
    assert outcome.kind == "known-people"
    assert judge("\nanna@example.org\n", "anna", known=exact("anna", "bert")) is None


@pytest.mark.parametrize("recipients", [("anna",), ("anna", "info"), ("anna", "bert")])
def test_who_may_be_seen_is_no_leak(recipients: tuple[str, ...]) -> None:
    allowed = ALLOWED | exact("info", "bert")
    text = "Reply-To: info@example.org\n\nbert@example.org\n"
    assert judge(text, *recipients, known=exact("info", "bert"), allowed=allowed) is None


def test_allowing_is_exact() -> None:
    allowed = ALLOWED | exact("info")
    assert judge("\ninfo+x@example.org\n", "anna", known=exact("info+x"), allowed=allowed) is not None


def listing(count: int, form: str = "new{}@example.org") -> str:
    return "\n" + "\n".join(form.format(n) for n in range(count)) + "\n"


def test_more_unknown_addresses_than_the_client_may_show_are_a_leak() -> None:
    assert SYSTEM.unknown_addresses == 10
    assert judge(listing(10), "anna") is None
    outcome = judge(listing(11), "anna")
    assert outcome is not None
    assert (outcome.kind, outcome.detail) == ("unknown-addresses", "11 unknown addresses in part 1")


@pytest.mark.parametrize("form", ["new{}@2x.png", "cid:new{}@example.org", "new@1.{}.3"])
def test_ids_and_file_names_do_not_count_as_unknown(form: str) -> None:
    assert judge(listing(50, form), "anna") is None


def test_message_ids_do_not_count_but_still_show_a_person() -> None:
    ids = " ".join(f"<{n}@example.org>" for n in range(50))
    assert judge(f"References: {ids}\n\nx\n", "anna") is None
    assert judge("References: <bert@example.org>\n\nx\n", "anna", known=exact("bert")) is not None


def test_one_address_in_many_spellings_counts_once() -> None:
    text = "\n" + "\n".join(f"BERT@{'eExample.org'[1:].upper() if n % 2 else 'example.org'}" for n in range(40)) + "\n"
    assert judge(text, "anna") is None


def test_the_outcome_never_names_anybody() -> None:
    text = "X-Bert@Example.org: bert@example.org\nTo: bert@example.org\n\nbert@example.org\n"
    for client in (SYSTEM, PEOPLE):
        outcome = judge(text, "anna", "bert", client=client)
        assert outcome is not None
        assert "bert" not in repr(outcome).lower()


def test_after_private_recipients_the_visible_fields_are_clean() -> None:
    edited = draft(f"{HEAD}To: anna@example.org, bert@example.org\nCc: carla@example.org\n\nhallo\n")
    private_recipients.FILTER.apply(edited, CONTEXT)
    found = find(edited)
    assert check(found, recipients=exact("anna", "bert", "carla"), known=set(), allowed=ALLOWED, client=SYSTEM) is None


def test_an_address_book_is_a_leak_whatever_the_limit() -> None:
    text = draft(HEAD + listing(MOST + 50))
    found = find(text)
    assert len(found) == MOST
    generous = SYSTEM.model_copy(update={"unknown_addresses": 10**9})
    assert check(found, recipients=set(), known=set(), allowed=set(), client=generous) is not None


def test_a_large_attachment_is_not_decoded() -> None:
    body = base64.encodebytes(bytes(range(256)) * 20_000).decode()
    edited = draft(f"{HEAD}MIME-Version: 1.0\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n{body}")
    edited.content = None  # type: ignore[assignment]  # any decoding would now fail
    assert {a.exact() for a in find(edited)} == ALLOWED


@pytest.mark.parametrize(
    "hostile",
    [
        "@",
        "a@",
        "a@b.",
        "<",
        "%40",
        "&#64;",
        "x",
        '"',
        "-",
        "<!--",
        "--><!--",
        "<a",
        "a-",
        "=?",
        "/",
        "%25",
        '\\"',
        "\u200b",
    ],
)
def test_hostile_text_is_read_to_the_end(hostile: str) -> None:
    """Where the work grows faster than the text, the time limit of the suite ends this test."""
    text = hostile * (200_000 // len(hostile)) + "@a.b"
    for kind in ("text/plain", "text/html", "text/calendar"):
        find(draft(f"{HEAD}MIME-Version: 1.0\nContent-Type: {kind}\n\n{text}\nbert@example.org\n"))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300), st.sampled_from(["text/plain", "text/html; charset=utf-7", "message/rfc822", "x/y"]))
def test_finding_never_raises(body: bytes, kind: str) -> None:
    clean = body.replace(b"\0", b"").replace(b"\r", b"")
    find(draft(HEAD.encode() + f"Content-Type: {kind}\n\n".encode() + clean))


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=40))
def test_an_address_among_any_words_is_found(words: str) -> None:
    found = find(draft(f"{HEAD}Content-Type: text/html; charset=utf-8\n\n<p>{words}</p> bert@example.org\n"))
    assert exact("bert") <= {a.exact() for a in found}


CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def corpus() -> list[Path]:
    return [p for p in sorted(CORPUS.rglob("*")) if p.suffix == ".eml" and p.stat().st_size < 500_000]


def test_what_the_check_sees_of_a_draft_is_what_the_sent_bytes_show() -> None:
    """Real messages, ugly ones included: edits planned and edits written show the same addresses."""
    if not CORPUS.is_dir():
        pytest.skip("../shared/corpus is not there")
    compared = 0
    for path in corpus():
        try:
            edited = draft(path.read_bytes().replace(b"\r", b"").replace(b"\0", b""))
            private_recipients.FILTER.apply(edited, CONTEXT)
            header_hygiene.FILTER.apply(edited, CONTEXT)
            sent = left(edited, own=b"own@voorbeeld.example")
        except (MalformedMessage, Uncompilable):
            continue
        seen = {a.exact() for a in find(draft(sent.encode("utf-8", "surrogateescape")))}
        assert seen - {b"1e:own@voorbeeld.example"} == {a.exact() for a in find(edited)}, path.name
        compared += 1
    assert compared > 100
