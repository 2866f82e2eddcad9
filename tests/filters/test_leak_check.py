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
from gateway.filters.leak_check import MOST, check, find, settle, shows
from gateway.message.parse import MalformedMessage
from gateway.message.template import Uncompilable
from gateway.reply import LEAK
from tests.filters.mail import CONTEXT, ORGANISATION, draft, left
from tests.filters.sealed import signed

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


@pytest.mark.parametrize("form", ["new{}@example.org", "cid:new{}@example.org"])
def test_what_was_not_read_to_its_end_could_show_somebody(form: str) -> None:
    found, to = find(draft(HEAD + listing(MOST + 50, form))), exact("anna")
    assert shows(found, recipients=to, known=set(), allowed=ALLOWED)
    assert check(found, recipients=to, known=set(), allowed=ALLOWED, client=SYSTEM) is not None
    few = find(draft(HEAD + listing(50, form)))
    assert shows(few, recipients=to, known=set(), allowed=ALLOWED) == (not form.startswith("cid"))


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
@pytest.mark.timeout(120)
def test_hostile_text_is_read_to_the_end(hostile: str) -> None:
    """Where the work grows faster than the text, the time limit ends this test."""
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


QUOTED = [
    "From: Info\nTo: Anna <anna@example.org>; Bert <bert@example.org>\nSubject: x\n",
    "> Van: Info\n> Aan: 'anna@example.org'; 'bert@example.org'\n> Cc: carla@example.org\n",
    "--Oorspronkelijk bericht--\nVan: Info [mailto:info@voorbeeld.example]\nAan: Bert [mailto:bert@example.org]\n",
    "Von: Info\nAn: Bert <bert@example.org>\nBetreff: x\n",
    "De : Info\nÀ : Bert <bert@example.org>\nCc : carla@example.org\n",
    "Pour: bert@example.org\n",
    "Op zo 1 jan. 2024 schreef Bert <\nbert@example.org>:\n",
]
CODED = base64.b64encode(b"bert@example.org").decode()
SURFACES = [
    f"Subject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n{html}"
    for html in (
        "<div><b>Aan:</b> Bert &lt;bert@example.org&gt;<br></div>",
        '<b>To:</b> <a href="mailto:bert@example.org">Bert</a>',
        "<b>&Agrave;&nbsp;:</b> bert&#64;example&#46;org",
        "<p>b<b>e</b>rt<wbr>@<i>exam</i>&shy;ple.org</p>",
        "<img alt='bert&commat;example.org'>",
        f'<a href="https://x.example/open?u={CODED}">x</a>',
        "<!-- bert@example.org -->",
    )
]
SURFACES += [
    "Content-Type: text/plain; charset=utf-7\n\nbert+AEA-example.org\n",
    "Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B%a!<%k\x1b(Bbert@example.org\n",
    "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nbert@exa=\nmple.org\n",
    "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
    + base64.encodebytes("bert@example.org".encode("utf-16")).decode(),
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nbe\u200brt\uff20exam\u00adple.org\n",
    "X-To: =?utf-8?B?" + CODED + "?=\n\nx\n",
    f"X-Id: {CODED}\n\nx\n",
    "Subject: vraag\n van bert@example.org\n\nx\n",
    "Content-Type: application/pdf\nContent-Disposition: inline; filename*=utf-8''bert%EF%BC%A0example.org\n\nx\n",
]


@pytest.mark.parametrize(
    "text", ["Subject: x\nContent-Type: text/plain; charset=utf-8\n\n" + q for q in QUOTED] + SURFACES
)
def test_r030_another_recipient_is_found_however_it_is_written(text: str) -> None:
    outcome = judge(text, "anna", "bert")
    assert outcome is not None
    assert outcome.kind == "recipients"


INNER = "Content-Type: text/plain; hp=clear\nTo: anna@example.org\nCc: bert@example.org\n\nhallo\n"


@pytest.mark.parametrize(
    "inner",
    [
        INNER,
        INNER.replace("hp=clear", 'protected-headers="v1"'),
        f"Content-Type: message/rfc822; forwarded=no\n\n{INNER}",
    ],
)
def test_r046_protected_headers_under_a_signature_are_read(inner: str) -> None:
    signature = "Content-Type: application/pgp-signature\n\nx\n"
    text = f"Content-Type: multipart/signed; boundary=b\n\n--b\n{inner}--b\n{signature}--b--\n"
    outcome = judge(text, "anna", "bert")
    assert outcome is not None
    assert "header to, part" in outcome.detail


def test_r046_an_opaque_signature_is_unwrapped_and_what_it_wraps_decoded() -> None:
    coded = INNER.replace("bert@example.org", "=?utf-8?B?Qg==?= <bert@example.org>").replace("hallo\n", "")
    wrapped = coded.replace(
        "\n\n", f"\nContent-Transfer-Encoding: base64\n\n{base64.b64encode(b'carla@example.org').decode()}"
    )
    text = "Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64\n\n"
    outcome = judge(text + base64.encodebytes(signed(wrapped.encode())).decode(), "bert", "carla")
    assert outcome is not None
    assert outcome.detail == "2 recipients in part 1, part 1 inside header cc, part 1 inside part 1"


def resolve(text: str, *recipients: str, **changes: Any) -> tuple[tuple[Outcome, ...], str]:
    edited = draft(HEAD + text)
    given: dict[str, Any] = {"known": set(), "allowed": ALLOWED, "client": SYSTEM, "new_id": b"new@voorbeeld.example"}
    outcomes = settle(edited, recipients=exact(*recipients), **given | changes)
    return outcomes, left(edited)


def test_r030_what_nobody_reads_is_cut_and_the_mail_leaves() -> None:
    outcomes, text = resolve(
        "Message-ID: <1.bert=example.org@x.example>\n"
        "References: <bert@example.org> <2@x.example>\n"
        "X-To: bert@example.org\n\nx\n",
        "anna",
        "bert",
    )
    assert [(o.action, o.kind, o.detail) for o in outcomes] == [
        (Action.DELIVER, "message-id-replaced", "1 fields"),
        (Action.DELIVER, "ids-cut", "1 fields"),
        (Action.DELIVER, "fields-cut", "1 fields"),
    ]
    assert text == f"{HEAD}Message-ID: <new@voorbeeld.example>\nReferences: <2@x.example>\n\nx\n"


def test_what_people_read_still_holds_it() -> None:
    outcomes, _ = resolve("X-To: bert@example.org\nSubject: bert@example.org\n\nx\n", "anna", "bert")
    assert [(o.action, o.kind) for o in outcomes] == [(Action.DELIVER, "fields-cut"), (Action.HOLD, "recipients")]


def test_mail_without_a_leak_keeps_its_fields() -> None:
    text = "Message-ID: <bert@example.org>\nX-To: bert@example.org\n\nx\n"
    assert resolve(text, "anna") == ((), HEAD + text)
    assert resolve(text, "anna", known=exact("bert"))[1] == f"{HEAD}Message-ID: <new@voorbeeld.example>\n\nx\n"


def test_a_long_list_in_a_field_nobody_reads_goes_too() -> None:
    listed = ", ".join(f"new{n}@example.org" for n in range(30))
    outcomes, text = resolve(f"X-All: {listed}\n\nx\n", "anna")
    assert [o.kind for o in outcomes] == ["fields-cut"]
    assert text == f"{HEAD}\nx\n"


def test_s53_what_others_found_counts_and_a_listed_third_party_may_have_it() -> None:
    more = {Address.parse(f"new{n}@example.org"): ("part 1.2, sheet 1",) for n in range(12)}
    outcomes, _ = resolve("\nx\n", "anna", more=more)
    assert [(o.action, o.kind, o.detail) for o in outcomes] == [
        (Action.HOLD, "unknown-addresses", "12 unknown addresses in part 1.2, sheet 1")
    ]
    outcomes, _ = resolve("\nx\n", "anna", more=more, to_party=True)
    assert [(o.action, o.kind) for o in outcomes] == [(Action.DELIVER, "given-to-party")]
    outcomes, _ = resolve("\nbert@example.org\n", "anna", more=more, to_party=True, known=exact("bert"))
    assert [(o.action, o.kind) for o in outcomes] == [(Action.HOLD, "known-people")]


def test_what_others_found_is_a_recipient_too() -> None:
    outcomes, _ = resolve("\nx\n", "anna", "bert", more={Address.parse("bert@example.org"): ("part 1.2, row 3",)})
    assert [o.detail for o in outcomes] == ["1 recipients in part 1.2, row 3"]
