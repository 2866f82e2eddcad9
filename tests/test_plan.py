"""Steps 2 to 5 of a message's life as one value: who gets which text, and what the text gets."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest

from gateway import plan
from gateway.address import Address
from gateway.config.organisation import Organisation
from gateway.decision import Action, Stream
from gateway.envelope import Envelope, Peer
from gateway.facts import NOBODY, Block, BlockKind, Consent, Facts, Purpose, Scope, ScopeKind
from gateway.lookup import Found, to_look_up
from gateway.message.draft import Slot
from gateway.plan import Arrival, Plan, Refused
from gateway.policy import postmaster
from gateway.policy.circumstances import ORDINARY
from gateway.pseudonym import Pseudonyms
from gateway.tenant import Tenant
from gateway.token import InvalidToken, TokenKeys
from tests.house import NOW, SETTINGS, envelope, mail, news, organisation, rules, signer, with_client, with_stream

ANNA, BERT = "anna@people.example", "bert@people.example"
ARRIVAL = Arrival("a" * 20, 4711, NOW)
NEWS, TRACKING = Scope(ScopeKind.LIST, 7), Scope(ScopeKind.PURPOSE, Purpose.TRACKING)
READER = Facts(consents=(Consent(NEWS, 1, 1),), known=True)
TRACKED = replace(READER, consents=(*READER.consents, Consent(TRACKING, 1, 2)))
KEYS = Pseudonyms((b"k" * 32,))


class NoRegistry:
    """Planning reads no registry."""


def tenant(found: Organisation | None = None, **signers: Any) -> Tenant:
    return Tenant(
        found or organisation(),
        KEYS,
        TokenKeys({1: b"t" * 64}),
        NoRegistry(),  # type: ignore[arg-type]
        signers or {"school.example": signer()},
        lambda: True,
    )


def made(raw: bytes, env: Envelope, facts: dict[str, Facts] | None = None, who: Tenant | None = None) -> Plan:
    who = who or tenant()
    env = postmaster.marked(who.organisation, env)
    reading = plan.read(who, rules(), env, raw, now=NOW)
    found = to_look_up(env, reading)
    known = facts or {}
    table = {a: (KEYS.person(a), known.get(a.reveal(), NOBODY)) for a in found}
    return plan.make(who, rules(), env, ARRIVAL, reading, Found(table, ORDINARY))


def text(found: Plan, index: int = 0) -> bytes:
    copy = found.copies[index]
    slots = {slot: value.encode() for slot, value in copy.slots.items()}
    return found.renditions[str(copy.decision.variant)].template.render(slots)


def refusal(raw: bytes, env: Envelope, who: Tenant | None = None) -> str:
    with pytest.raises(Refused) as refused:
        made(raw, env, {ANNA: READER}, who)
    return str(refused.value.reply)


def test_s10_each_copy_shows_its_own_recipient_only() -> None:
    found = made(news(ANNA, BERT), envelope(ANNA, BERT), {ANNA: READER, BERT: READER})
    for index, (own, other) in enumerate([(ANNA, BERT), (BERT, ANNA)]):
        copy = text(found, index)
        assert message_from_bytes(copy)["To"] == own
        assert other.encode() not in copy


def test_s46_one_text_per_variant_and_the_strictest_always() -> None:
    found = made(news(ANNA, BERT), envelope(ANNA, BERT), {ANNA: TRACKED, BERT: READER})
    assert sorted(found.renditions) == ["nl/tracked", "nl/untracked"]
    assert [str(c.decision.variant) for c in found.copies] == ["nl/tracked", "nl/untracked"]
    alone = made(news(ANNA), envelope(ANNA), {ANNA: TRACKED})
    assert sorted(alone.renditions) == ["nl/tracked", "nl/untracked"], "for consent withdrawn while the mail waits"


def test_nobody_left_compiles_nothing_and_needs_no_provider() -> None:
    found = made(news(ANNA), envelope(ANNA), who=tenant(organisation(routes=[])))
    assert found.renditions == {}
    assert found.by_action(Action.REFUSE) == list(found.copies)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (news(ANNA).replace(b"Hello\r\n", b"Hello\n"), "550 5.5.2"),
        (news(ANNA) + b"\0", "550 5.5.2"),
        (news(ANNA).replace(b"Subject", b"From: other <x@school.example>\r\nSubject"), "550 5.6.0"),
        (mail(ANNA, skip=["From"], Stream="newsletter"), "550 5.6.0"),
        (mail(ANNA, Stream="newsletter", List="news", From="a@school.example, b@school.example"), "550 5.6.0"),
        (news(ANNA, From="School <info@elsewhere.example>"), "550 5.7.1"),
        (mail(ANNA), "550 5.7.1"),
        (mail(ANNA, Stream="webshop"), "550 5.7.1"),
    ],
)  # fmt: skip
def test_mail_that_cannot_be_understood_is_refused_whole(raw: bytes, expected: str) -> None:
    assert refusal(raw, envelope(ANNA)).startswith(expected)


def test_s02_the_envelope_sender_is_checked_too_and_the_null_one_passes() -> None:
    assert "MAIL FROM" in refusal(news(ANNA), envelope(ANNA, sender="x@elsewhere.example"))
    assert made(news(ANNA), envelope(ANNA, sender=""), {ANNA: READER}).copies


def test_s12_without_a_route_nothing_is_accepted() -> None:
    assert "no provider" in refusal(news(ANNA), envelope(ANNA), tenant(organisation(routes=[])))


def test_r010_one_received_field_that_names_no_recipient() -> None:
    before = b"Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0000\r\n"
    copy = text(made(before + news(ANNA), envelope(ANNA), {ANNA: READER}))
    (added, kept) = message_from_bytes(copy).get_all("Received", [])
    assert " ".join(added.split()) == (
        "from crm.example ([192.0.2.7]) by gateway.example with ESMTPSA id aaaaaaaaaaaaaaaaaaaa; "
        "Fri, 15 Jan 2027 08:00:00 +0000"
    )
    assert "for" not in added.split()
    assert kept.startswith("from a by b")


@pytest.mark.parametrize(
    ("peer", "utf8", "expected"),
    [
        (Peer("2001:db8::1", "x", tls="TLSv1.3"), False, "ESMTPS"),
        (Peer("192.0.2.1", "x", authenticated=True), False, "ESMTPA"),
        (Peer("192.0.2.1", "x", esmtp=False), False, "SMTP"),
        (Peer("192.0.2.1", "x", tls="TLSv1.3", authenticated=True), True, "UTF8SMTPSA"),
    ],
)
def test_r010_the_protocol_is_named_as_the_registry_of_names_has_it(peer: Peer, utf8: bool, expected: str) -> None:
    env = envelope(ANNA, peer=peer, smtputf8=utf8)
    received = message_from_bytes(text(made(news(ANNA), env, {ANNA: READER})))["Received"]
    assert f"with {expected} id" in received
    assert ("[IPv6:2001:db8::1]" in received) is (":" in peer.address)


def test_a_greeting_cannot_write_into_the_trace() -> None:
    env = envelope(ANNA, peer=Peer("192.0.2.1", "a b\r\nX-Evil: <yes>;(c)\x7fé"))
    copy = message_from_bytes(text(made(news(ANNA), env, {ANNA: READER})))
    assert copy["X-Evil"] is None
    assert "from abX-Evil:yesc ([192.0.2.1])" in copy["Received"]


def test_r032_date_and_message_id_are_added_once_and_good_ones_kept() -> None:
    bare = mail(ANNA, Stream="newsletter", List="news", skip=["Date", "Message-ID"])
    copy = message_from_bytes(text(made(bare, envelope(ANNA), {ANNA: READER})))
    assert copy.get_all("Date") == ["Fri, 15 Jan 2027 08:00:00 +0000"]
    assert copy.get_all("Message-ID") == [f"<{'a' * 20}@school.example>"]
    kept = message_from_bytes(text(made(news(ANNA), envelope(ANNA), {ANNA: READER})))
    assert kept.get_all("Message-ID") == ["<one@school.example>"]
    empty = message_from_bytes(text(made(b"Date:\r\nMessage-ID: \r\n" + bare, envelope(ANNA), {ANNA: READER})))
    assert empty.get_all("Date") == copy.get_all("Date")
    assert empty.get_all("Message-ID") == copy.get_all("Message-ID")


def opened(found: Plan, who: Tenant) -> Any:
    address = found.copies[0].slots[Slot.OPT_OUT]
    assert address.startswith("https://out.school.example/school/")
    return who.tokens.open(address.rpartition("/")[2])


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("list", NEWS), ("source", Scope(ScopeKind.SOURCE, 1)), ("marketing", Scope(ScopeKind.MARKETING))],
)
def test_s60_the_link_reaches_as_far_as_the_stream_says(scope: str, expected: Scope) -> None:
    rule = {"scope": scope, "header": "one-click", "text": "link"}
    who = tenant(with_stream("newsletter", opt_out=rule))
    token = opened(made(news(ANNA), envelope(ANNA), {ANNA: READER}, who), who)
    assert (token.scope, token.organisation, token.message) == (expected, 1, 4711)
    assert (token.pseudonym, token.day) == (KEYS.person(Address.parse(ANNA)).blocking, int(NOW) // 86400)


def test_s60_a_link_without_a_number_widens_to_all_marketing() -> None:
    """A scope of a list, where the mail names none, would stop nothing."""
    rules_of = with_stream("newsletter", needs=[], opt_out={"scope": "topic", "header": "link", "text": "link"})
    who = tenant(rules_of)
    assert opened(made(news(ANNA), envelope(ANNA), {ANNA: READER}, who), who).scope == Scope(ScopeKind.MARKETING)


def test_s60_a_retired_list_widens_to_all_marketing() -> None:
    retired = [item | ({"retired": True} if item["name"] == "news" else {}) for item in SETTINGS["lists"]]
    found = made(news(ANNA), envelope(ANNA), {ANNA: READER})
    later = tenant(organisation(lists=retired))
    assert plan.opt_out_scope(tenant(), found.read) == NEWS
    assert plan.opt_out_scope(later, found.read) == Scope(ScopeKind.MARKETING)


def test_i12_a_token_of_one_organisation_is_void_with_the_keys_of_another() -> None:
    found = made(news(ANNA), envelope(ANNA), {ANNA: READER})
    stranger = TokenKeys({1: b"u" * 64})
    with pytest.raises(InvalidToken):
        stranger.open(found.copies[0].slots[Slot.OPT_OUT].rpartition("/")[2])


def test_s10_mail_to_few_is_personal_and_untouched_to_many_it_is_private() -> None:
    one = made(mail(ANNA), envelope(ANNA, client="office"))
    assert (one.read.private, text(one).endswith(mail(ANNA))) == (False, True)
    two = made(mail(ANNA, BERT), envelope(ANNA, BERT, client="office"))
    assert two.read.private
    assert BERT.encode() not in text(two)
    inside = made(mail(ANNA, "wil@school.example"), envelope(ANNA, "wil@school.example", client="office"))
    assert not inside.read.private


@pytest.mark.parametrize(("kind", "action"), [("system", Action.HOLD), ("people", Action.REFUSE)])
def test_i1_a_mail_that_shows_somebody_known_is_stopped(kind: str, action: Action) -> None:
    who = tenant(with_client("crm", kind=kind))
    raw = news(ANNA, text=f"Ask {BERT}.\r\n")
    found = made(raw, envelope(ANNA), {ANNA: READER, BERT: replace(NOBODY, known=True)}, who)
    assert found.stop is not None
    assert (found.stop.action, found.stop.filter) == (action, "leak_check")
    assert BERT not in f"{found.stop.detail} {found.stop.reply}"
    quiet = made(raw, envelope(ANNA), {ANNA: READER}, who)
    assert quiet.stop is None, "an address nobody knows, and few of them"


def test_i1_what_nobody_reads_gives_way_when_it_names_somebody() -> None:
    raw = news(ANNA, Message_ID="<1.bert=people.example@school.example>", X_Copy_To=BERT)
    found = made(raw, envelope(ANNA), {ANNA: READER, BERT: replace(NOBODY, known=True)})
    assert found.stop is None
    copy = message_from_bytes(text(found))
    assert (copy["Message-ID"], copy["X-Copy-To"]) == (f"<{ARRIVAL.id}@school.example>", None)
    notes = [o.kind for r in found.renditions.values() for o in r.outcomes if o.filter == "leak_check"]
    assert notes == ["message-id-replaced", "fields-cut"] * len(found.renditions)
    kept = message_from_bytes(text(made(raw, envelope(ANNA), {ANNA: READER})))
    assert kept["X-Copy-To"] == BERT, "nobody knows that address"


def test_s53_many_addresses_may_go_to_a_third_party_under_contract() -> None:
    party = {"name": "p", "title": "P", "addresses": [ANNA], "contract": "2024-01-01", "rights_clause": True}
    raw = news(ANNA, text="\r\n".join(f"p{n}@people.example" for n in range(30)))
    stranger = made(raw, envelope(ANNA), {ANNA: READER})
    assert stranger.stop is not None
    assert (stranger.stop.filter, stranger.stop.kind) == ("leak_check", "unknown-addresses")
    found = made(raw, envelope(ANNA), {ANNA: READER}, tenant(organisation(third_parties=[party])))
    assert found.stop is None
    assert "given-to-party" in {o.kind for r in found.renditions.values() for o in r.outcomes}


def test_s22_a_blocked_person_among_others_gets_no_copy_and_no_slots() -> None:
    block = replace(READER, blocks=(Block(BlockKind.OPT_OUT, NEWS, 1, 9),))
    found = made(news(ANNA, BERT), envelope(ANNA, BERT), {ANNA: READER, BERT: block})
    assert [c.decision.action for c in found.copies] == [Action.DELIVER, Action.REFUSE]
    assert found.copies[1].slots == {}


def test_r022_only_the_postmaster_gets_mail_without_a_stream() -> None:
    env = envelope("Postmaster", ANNA)
    found = made(mail("Postmaster", ANNA), env)
    assert [(c.decision.action, c.decision.rule) for c in found.copies] == [
        (Action.DELIVER, "postmaster"),
        (Action.REFUSE, "unclassified"),
    ]
    assert (found.classification.stream, found.read.said.stream) == (Stream.PERSONAL, Stream.UNCLASSIFIED)


def test_r043_seven_bit_where_the_provider_does_not_promise_more() -> None:
    raw = mail(
        ANNA, Stream="newsletter", List="news", text="Caf\u00e9\r\n", Content_Type="text/plain; charset=utf-8",
        Content_Transfer_Encoding="8bit", MIME_Version="1.0",
    )  # fmt: skip
    assert text(made(raw, envelope(ANNA, eight_bit=True), {ANNA: READER})).isascii()


_SIGNED = b"""--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Caf\xc3\xa9
--b
Content-Type: application/pgp-signature

x
--b--
""".replace(b"\n", b"\r\n")


def test_r044_signed_8_bit_text_leaves_as_it_is_where_the_provider_promises_it_and_is_refused_elsewhere() -> None:
    raw = mail(
        ANNA, Stream="newsletter", List="news", text=_SIGNED.decode(), MIME_Version="1.0",
        Content_Type='multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256',
    )  # fmt: skip
    arrives, people = envelope(ANNA, eight_bit=True), {ANNA: READER}
    assert refusal(raw, arrives).startswith("550 5.6.3")
    providers = [p | {"eight_bit": True} for p in SETTINGS["providers"]]
    found = made(raw, arrives, people, tenant(organisation(providers=providers)))
    template = found.renditions[str(found.copies[0].decision.variant)].template
    assert (template.eight_bit, text(found).endswith(_SIGNED)) == (True, True)


@pytest.mark.parametrize(("share", "chosen"), [(0.0, 0), (0.25, 0x4000), (1.0, 0x10000)])
def test_the_self_check_reads_its_share_of_the_messages(share: float, chosen: int) -> None:
    def checked(last: int) -> bool:
        arrival = replace(ARRIVAL, id=f"{'a' * 16}{last:04x}")
        env, raw, who = envelope(ANNA), news(ANNA), tenant()
        ours = replace(rules(), self_check=share)
        reading = plan.read(who, ours, env, raw, now=NOW)
        people = {a: (KEYS.person(a), READER) for a in to_look_up(env, reading)}
        found = plan.make(who, ours, env, arrival, reading, Found(people, ORDINARY))
        return all(r.expectation is not None for r in found.renditions.values())

    assert [checked(last) for last in (0, chosen - 1, chosen, 0xFFFF) if 0 <= last <= 0xFFFF] == [
        last < chosen for last in (0, chosen - 1, chosen, 0xFFFF) if 0 <= last <= 0xFFFF
    ]


def test_s25_a_word_makes_mail_sensitive_whatever_its_mark_says() -> None:
    who = tenant(organisation(sensitive={"words": ["dieet"], "streams": ["newsletter"]}))
    raw = mail(ANNA, Stream="newsletter", List="news", Sensitive="no").replace(b"\r\n\r\n", b"\r\n\r\nUw dieet. ", 1)
    marks = plan.read(who, rules(), envelope(ANNA), raw, now=NOW).classification
    assert (marks.sensitive, marks.detected) == (True, "a word of the settings in part 1")
