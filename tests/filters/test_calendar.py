"""Invitations show a guest the organiser and nobody else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision import Action
from gateway.filters.calendar import FILTER, lines
from gateway.message.parse import parse
from tests.filters.mail import context, draft, left

ANNA = b"1e:anna@example.org"
HEAD = """From: Info <info@voorbeeld.example>
MIME-Version: 1.0
Content-Type: text/calendar; charset=utf-8; method=REQUEST
Content-Transfer-Encoding: 8bit

"""
BEFORE = """BEGIN:VCALENDAR
PRODID:-//x
METHOD:REQUEST
BEGIN:VEVENT
UID:1234@voorbeeld.example
ORGANIZER;CN=Info:mailto:info@voorbeeld.example
"""
AFTER = """SUMMARY:Cursus café
END:VEVENT
END:VCALENDAR
"""
OWN = "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:\n mailto:anna@example.org\n"


def after(guests: str, recipient: bytes = b"", head: str = HEAD, **changes: object) -> str:
    edited = draft(head + BEFORE + guests + AFTER)
    FILTER.apply(edited, context(recipient=recipient, **changes))
    return left(edited).removeprefix(head)


def test_r028_guests_give_way_to_the_recipient_alone() -> None:
    guests = "".join(f"ATTENDEE;CN=Gast {n};RSVP=TRUE:mailto:gast{n}@example.org\n" for n in range(10))
    assert after(guests) == BEFORE + OWN + AFTER


@pytest.mark.parametrize(
    "guest",
    [
        "ATTENDEE:mailto:bert@example.org\n",
        "attendee;cn=Bert:MAILTO:bert@example.org\n",
        'ATTENDEE;CN="Bert; zelf":mailto:bert@example.org\n',
        "ATTENDEE;CN=Bert;X-NUM-GUESTS=0:mailto:be\n rt@example.org\n",
        "ATTENDEE;CN=Be\n rt;ROLE=REQ-PARTICIPANT:\n mailto:bert@exam\n\tple.org\n",
        "ATTENDEE;CN=Bert:invalid:nomail\n",
        "ATTENDEE;EMAIL=bert@example.org:urn:uuid:1-2-3\n",
        'ATTENDEE;SENT-BY="mailto:bert@example.org":mailto:info@voorbeeld.example\n',
        'ATTENDEE;DELEGATED-TO="mailto:bert@example.org":mailto:info@voorbeeld.example\n',
        'ATTENDEE;MEMBER="mailto:bert@example.org":mailto:info@voorbeeld.example\n',
        "ATTENDEE;CN=bert@example.org:mailto:info@voorbeeld.example\n",
        "ATTENDEE:mailto:bert%40example.org\n",
    ],
)
def test_a_guest_goes_however_the_line_is_written(guest: str) -> None:
    assert after(guest) == BEFORE + OWN + AFTER


@pytest.mark.parametrize(
    "kept",
    [
        "ATTENDEE;CN=Info:mailto:info@voorbeeld.example\n",
        "ATTENDEE;CN=Klant:mailto:klant@voorbeeld.example\n",
        "DESCRIPTION:Vragen? bert@example.org\n",
        "CONTACT:bert@example.org\n",
        "X-MS-OLK-SENDER:mailto:info@voorbeeld.example\n",
        "X-ALT-DESC;FMTTYPE=text/html:<p>Vragen? bert@example.org</p>\n",
        "X-ATTENDEES:5\n",
        "RELATED-TO:5678@voorbeeld.example\n",
    ],
)
def test_what_shows_who_sends_or_what_people_read_keeps_its_bytes(kept: str) -> None:
    assert after(kept) == BEFORE + kept + AFTER


@pytest.mark.parametrize("line", ["X-MS-OLK-SENDER:mailto:bert@example.org\n", "X-WR-CALNAME:bert@example.\n org\n"])
def test_x_lines_that_name_another_go(line: str) -> None:
    assert after(line) == BEFORE + AFTER


def test_the_only_recipient_keeps_the_own_line_as_it_is() -> None:
    own = "ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:Anna@Example.org\n"
    other = "ATTENDEE;CN=Bert:mailto:bert@example.org\n"
    assert after(other + own, ANNA) == BEFORE + own + AFTER
    assert after(own, ANNA) == BEFORE + own + AFTER
    assert after(other, ANNA) == BEFORE + OWN + AFTER


def test_each_component_gets_its_own_guest_and_alarms_a_short_one() -> None:
    guest = "ATTENDEE:mailto:bert@example.org\n"
    alarm = "BEGIN:VALARM\nACTION:EMAIL\n{}END:VALARM\n"
    second = "END:VEVENT\nBEGIN:VEVENT\nUID:2\n"
    found = after(guest + alarm.format(guest) + second + guest + guest)
    short = "ATTENDEE:\n mailto:anna@example.org\n"
    assert found == BEFORE + OWN + alarm.format(short) + second + OWN + AFTER


@pytest.mark.parametrize("method", ["REPLY", "COUNTER", "PUBLISH"])
def test_methods_by_which_nobody_is_invited_get_no_guest(method: str) -> None:
    text = HEAD + BEFORE.replace("REQUEST", method) + "ATTENDEE:mailto:bert@example.org\n" + AFTER
    edited = draft(text)
    FILTER.apply(edited, context())
    assert left(edited) == text.replace("ATTENDEE:mailto:bert@example.org\n", "")


def test_a_base64_calendar_with_bare_line_feeds_keeps_its_other_bytes() -> None:
    content = (BEFORE + "ATTENDEE:mailto:bert@example.org\n" + AFTER).encode()
    head = HEAD.replace("8bit", "base64")
    edited = draft(head + base64.encodebytes(content).decode())
    FILTER.apply(edited, context())
    part = parse(left(edited).replace("\n", "\r\n").encode()).root
    assert edited.edited_content(part) == (BEFORE + OWN + AFTER).replace("anna@example.org", "").encode()


def test_mail_that_is_not_private_keeps_its_guests() -> None:
    guests = "ATTENDEE:mailto:bert@example.org\n"
    assert after(guests, private=False) == BEFORE + guests + AFTER


ATTACHED = HEAD.replace("method=REQUEST", "name=invite.ics").replace(
    "MIME-Version", "Content-Disposition: attachment; filename=invite.ics\nMIME-Version"
)


def test_an_attached_calendar_keeps_its_bytes() -> None:
    guests = "ATTENDEE:mailto:bert@example.org\n"
    assert after(guests, head=ATTACHED) == BEFORE + guests + AFTER


def test_so_does_one_in_an_attached_message() -> None:
    inner = f"{HEAD}{BEFORE}ATTENDEE:mailto:bert@example.org\n{AFTER}"
    text = f"From: a@voorbeeld.example\nContent-Type: message/rfc822\n\n{inner}"
    edited = draft(text)
    assert FILTER.apply(edited, context()) == ()
    assert left(edited) == text


SIGNED = f"""From: info@voorbeeld.example
Content-Type: multipart/signed; boundary=b

--b
Content-Type: text/calendar

{BEFORE}ATTENDEE:mailto:bert@example.org
{AFTER}
--b
Content-Type: application/pgp-signature

x
--b--
"""


def test_r028_a_calendar_that_may_not_be_edited_holds_mail_to_several() -> None:
    (outcome,) = FILTER.apply(draft(SIGNED), context())
    assert (outcome.action, outcome.kind, outcome.detail) == (Action.HOLD, "cannot-edit", "guests in part 1.1")
    assert FILTER.apply(draft(SIGNED), context(recipient=ANNA)) == ()  # the leak check says whether it shows anybody


def test_the_number_of_lines_is_told_and_no_name() -> None:
    edited = draft(HEAD + BEFORE + "ATTENDEE;CN=Bert:mailto:bert@example.org\n" * 3 + AFTER)
    (outcome,) = FILTER.apply(edited, context())
    assert (outcome.kind, outcome.detail) == ("guests-hidden", "3 lines")


@settings(deadline=None, max_examples=200)
@given(st.text("AT:;@b. \t\r\nXé", max_size=80))
def test_lines_cover_every_octet_once(text: str) -> None:
    content = text.encode()
    found = list(lines(content))
    assert b"".join(content[line.start : line.end] for line in found) == content


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(["ATTENDEE:mailto:b@example.org\n", "BEGIN:VEVENT\n", "END:VEVENT\n", " folded\n", "X\n"]))
)
def test_a_second_pass_of_one_copy_changes_nothing(parts: list[str]) -> None:
    first = draft(HEAD + "METHOD:REQUEST\n" + "".join(parts) + "END:X\n")
    FILTER.apply(first, context())
    once = left(first)
    second = draft(once)
    FILTER.apply(second, context(recipient=ANNA))
    assert left(second) == once
