"""What the spool gets: nothing in clear that names a person, and everything that is needed later."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.address import Address
from gateway.envelope import Envelope, Notify, Recipient
from gateway.facts import NOBODY, Block, BlockKind, Facts, Scope, ScopeKind
from gateway.message.parse import parse
from gateway.reply import LEAK
from gateway.spool.protocol import QUARANTINE, Entry, NewMessage, State
from gateway.stored import envelope_from, planned_message, raw_message, refusals_audit, returned_header
from tests.house import NOW, PEER, envelope, mail, news
from tests.test_plan import ANNA, ARRIVAL, BERT, READER, made, tenant


def stored(raw: bytes, env: Envelope, **facts: object) -> tuple[NewMessage | None, list[object]]:
    plan = made(raw, env, {ANNA: READER, **facts})  # type: ignore[dict-item]
    message, audit = planned_message(tenant(), env, plan, ARRIVAL, "v1")
    return message, list(audit)


def in_clear(message: NewMessage) -> str:
    rows = [(r.person_exact.hex(), r.state, r.provider, r.variant, r.reason) for r in message.rows]
    return json.dumps([message.id, message.client, message.stream, message.facts, rows])


def test_i7_no_address_stands_in_clear_or_in_the_audit() -> None:
    message, audit = stored(news(ANNA, BERT), envelope(ANNA, BERT))
    assert message is not None
    for address in (ANNA, BERT, "info@school.example"):
        assert address not in in_clear(message)
        assert address not in json.dumps([row.detail for row in audit])  # type: ignore[attr-defined]
    assert message.rows[0].sealed["address"] == ANNA
    assert ANNA not in repr(message)


def test_i11_the_audit_tells_rules_tried_edits_with_ranges_and_the_version_of_the_rules() -> None:
    _, audit = stored(news(ANNA, BERT), envelope(ANNA, BERT))
    by_what = {row.what: row for row in audit}  # type: ignore[attr-defined]
    assert set(by_what) == {"accepted", "refused", "edited"}
    assert by_what["accepted"].detail["rule"] in {t[0] for t in by_what["accepted"].detail["tried"]}
    edited = by_what["edited"].detail
    assert edited["rules"] == "v1"
    assert all(len(edit) == 5 for edits in edited["edits"].values() for edit in edits)
    assert {edit[0] for edit in edited["edits"]["nl/untracked"]} >= {"opt_out", "trace", "private_recipients"}


def test_s31_of_an_erased_person_no_dated_row_is_made() -> None:
    gone = Facts(blocks=(Block(BlockKind.ERASURE, Scope(ScopeKind.EVERYTHING), 0, 1),), known=True)
    plan = made(news(ANNA, BERT), envelope(ANNA, BERT), {ANNA: gone, BERT: READER})
    _, audit = planned_message(tenant(), envelope(ANNA, BERT), plan, ARRIVAL, "v1")
    assert [row.what for row in audit[:2]] == ["refused", "accepted"]
    assert [bool(row.pseudonym) for row in audit[:2]] == [False, True]
    assert audit[0].detail["rule"] == "erasure"


def test_a_refused_recipient_has_no_row_and_nobody_left_is_no_message() -> None:
    some, _ = stored(news(ANNA, BERT), envelope(ANNA, BERT))
    assert some is not None
    assert len(some.rows) == 1
    nobody, audit = stored(news(BERT), envelope(BERT))
    assert nobody is None
    assert [row.what for row in audit] == ["refused", "edited"]  # type: ignore[attr-defined]


def test_a_leak_holds_every_copy_until_its_end_and_says_how_many_not_who() -> None:
    raw = news(ANNA, text=f"Ask {BERT}.\r\n")
    message, audit = stored(raw, envelope(ANNA), **{BERT: replace(NOBODY, known=True)})
    assert message is not None
    (row,) = message.rows
    assert (row.state, row.until) == (State.HELD, NOW + 5 * 86400)
    assert row.reason.startswith("leak_check: ")
    assert "@" not in row.reason
    assert audit[0].what == "held"  # type: ignore[attr-defined]


def test_the_edition_of_the_rules_goes_with_the_mail() -> None:
    message, _ = stored(news(ANNA), envelope(ANNA))
    assert message is not None
    assert [item.partition(" ")[0] for item in message.facts["edition"]] == [  # type: ignore[attr-defined]
        "private", "edit", "receipts", "opt-out",
    ]  # fmt: skip


def test_a_report_may_show_these_fields_of_the_original_and_no_other() -> None:
    message, _ = stored(news(ANNA, X_Other="y"), envelope(ANNA))
    assert message is not None
    names = [line.partition(":")[0] for line in str(message.sealed["headers"]).splitlines()]
    assert names == ["From", "Subject", "Date", "Message-ID"]


ODD = Envelope(
    client="crm",
    sender=None,
    recipients=(
        Recipient(Address.parse(ANNA), frozenset({Notify.SUCCESS, Notify.DELAY}), "rfc822;anna+40x"),
        Recipient(Address.parse("beheer@school.example"), postmaster=True),
        Recipient(Address.parse("zoë@people.example"), frozenset({Notify.NEVER})),
    ),
    peer=PEER,
    smtputf8=True,
    eight_bit=True,
    ret="HDRS",
    envid="abc+2D1",
)


@pytest.mark.parametrize("env", [ODD, envelope(ANNA, BERT)])
@pytest.mark.parametrize("state", [State.UNDECIDED, State.QUARANTINED])
def test_i3_what_is_set_aside_comes_back_as_it_was(env: Envelope, state: State) -> None:
    raw = mail(ANNA)
    message, audit = raw_message(tenant(), env, raw, ARRIVAL, state, "why", "1.0")
    assert (message.body, message.stream, message.facts["software"]) == (raw, "", "1.0")
    row = message.rows[0]
    entry = Entry(
        1, message.id, message.reference, message.organisation, message.client, message.stream, message.received,
        json.loads(json.dumps(message.facts)), row.person_exact, row.person_wide, row.state, "", "", 0, row.due, 0.0,
        "",
    )  # fmt: skip
    back = envelope_from(
        entry, [json.loads(json.dumps(r.sealed)) for r in message.rows], json.loads(json.dumps(message.sealed))
    )
    assert back == env
    assert [r.what for r in audit] == [state.value] * len(env.recipients)
    due = NOW + QUARANTINE if state is State.QUARANTINED else NOW
    assert {r.due for r in message.rows} == {due}


def test_a_whole_refusal_is_audited_per_person_without_naming_them() -> None:
    rows = refusals_audit(tenant(), envelope(ANNA, BERT), ARRIVAL, LEAK)
    assert len({row.pseudonym for row in rows}) == 2
    assert all(row.what == "refused" and "@" not in json.dumps(row.detail) for row in rows)


def test_s06_a_report_of_sensitive_mail_does_not_say_what_it_is_about() -> None:
    header = b"From: info@school.example\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nSubject: Uw dieet\r\n"
    message = parse(header + b"\r\nDag\r\n")
    assert returned_header(message) == header
    assert returned_header(message, sensitive=True) == header.replace(b"Subject: Uw dieet\r\n", b"")
