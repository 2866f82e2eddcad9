"""Private mail in both its modes, and what in it cannot be edited, through the running gateway (S-10, I-1)."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from collections.abc import Sequence
from email.message import EmailMessage

from gateway.demo.stage import Stage
from tests.e2e.altered import Altered
from tests.e2e.post import (
    PAREL,
    Sent,
    arrived,
    dns,
    header,
    mail,
    opt_out_url,
    person,
    readable,
    send,
    settled,
    texts,
    verifies,
)
from tests.filters.sealed import ENCRYPTED, armoured, pkesk

CRM, OFFICE, WIL = "kleine-parel-crm", "kleine-parel-office", "wil@dekleineparel.nl"


def group(stage: Stage, number: int) -> list[str]:
    people = [person("cursist") for _ in range(number)]
    stage.people("kleine-parel", [{"address": a, "kind": "enrolment", "reference": "cursus-9"} for a in people])
    return people


def course(people: Sequence[str], text: str = "Tot zaterdag!\n") -> EmailMessage:
    message = mail(PAREL, people[:2], text=text, stream="participation", reference="cursus-9")
    message["Cc"] = ", ".join(people[2:])
    return message


def invitation(people: Sequence[str]) -> bytes:
    guests = "".join(f"ATTENDEE;CN={a};RSVP=TRUE:mailto:{a}\r\n" for a in people)
    event = (
        f"BEGIN:VEVENT\r\nUID:1@dekleineparel.nl\r\nORGANIZER:mailto:{PAREL}\r\n{guests}SUMMARY:Les\r\nEND:VEVENT\r\n"
    )
    return f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n{event}END:VCALENDAR\r\n".encode()


def others_seen(content: bytes, people: Sequence[str], own: str) -> list[str]:
    return [a for a in people if a != own and a.encode() in readable(content)]


def test_s10_r028_copies_show_their_own_recipient_in_header_and_invitation(shared: Stage) -> None:
    people = group(shared, 4)
    message = course(people)
    message["References"] = f"<1.{people[1].replace('@', '=')}@dekleineparel.nl> <2@dekleineparel.nl>"
    message.make_alternative()
    message.add_alternative(invitation(people), "text", "calendar", params={"method": "REQUEST"}, cte="base64")
    assert send(shared, CRM, message, people).code == 250
    for copy in arrived(shared, people):
        assert header(copy.content, "To") == [copy.recipient]
        assert header(copy.content, "References") == ["<2@dekleineparel.nl>"]
        assert re.findall(r"mailto:(\S+)", texts(copy.content)["text/calendar"]) == [PAREL, copy.recipient]
        assert others_seen(copy.content, people, copy.recipient) == []
        assert verifies(copy.content, dns(shared))


def test_s10_r027_in_bcc_mode_all_see_the_same_and_stop_for_themselves(altered: Altered) -> None:
    people = group(altered.stage, 3)
    assert send(altered.stage, CRM, course(people), people).code == 250
    copies = [(a, altered.at_mailing(a)[0].content) for a in people]
    assert len({opt_out_url(content) for _, content in copies}) == 3
    for _, content in copies:
        to = email.message_from_bytes(content, policy=email.policy.default)["To"]
        assert (to.addresses, [g.display_name for g in to.groups]) == ((), ["Opleidingsinstituut De Kleine Parel"])
        assert not to.defects
        assert [a for a in people if a.encode() in readable(content)] == []
        assert texts(content)["text/plain"].count(opt_out_url(content)) == 1
        assert verifies(content, dns(altered.stage))


def _held(stage: Stage, sent: Sent) -> bool:
    assert sent.code == 250, sent.reply
    return sent.id in stage.command("queue", "list", "--state", "held", "--json")


def _encrypted(people: Sequence[str], keys: Sequence[bytes]) -> EmailMessage:
    text = armoured(b"".join(pkesk(k * 8) for k in keys) + ENCRYPTED)
    return mail(WIL, people, text=text)


def test_r047_one_key_passes_and_two_are_held(shared: Stage) -> None:
    people = [person("geheim") for _ in range(2)]
    assert _held(shared, send(shared, OFFICE, _encrypted(people, [b"A", b"B"]), people))
    assert not _held(shared, send(shared, OFFICE, _encrypted(people, [b"A"]), people))
    assert len(arrived(shared, people)) == 2
    settled(shared)


def test_r028_an_attached_calendar_keeps_its_bytes_and_is_held(shared: Stage) -> None:
    people = group(shared, 3)
    message = course(people)
    message.add_attachment(invitation(people), "text", "calendar", filename="invite.ics", cte="base64")
    assert _held(shared, send(shared, CRM, message, people))


def test_r029_winmail_dat_to_several_is_held(shared: Stage) -> None:
    people = group(shared, 2)
    message = course(people)
    message.add_attachment(base64.b64decode("eJ8+IgEAAQA="), "application", "ms-tnef", filename="winmail.dat")
    assert _held(shared, send(shared, CRM, message, people))


def test_r030_a_forward_that_shows_the_group_is_held(shared: Stage) -> None:
    people = group(shared, 5)
    quoted = f"-----Oorspronkelijk bericht-----\nVan: Info\nAan: {'; '.join(people[:3])}\n\nDag allemaal.\n"
    assert _held(shared, send(shared, CRM, course(people, quoted), people))
