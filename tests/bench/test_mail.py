"""The mail that is sent is what the figures claim: 5 kB, personal, tracked, in order."""

from __future__ import annotations

import email
import email.policy

from bench.generator import Load, prepare
from bench.mail import SIZE, address, newsletter


def test_each_mail_has_the_size_that_is_claimed() -> None:
    sizes = {len(newsletter(n, address(n))) for n in range(0, 200_000, 9973)}
    assert max(sizes) <= SIZE
    assert min(sizes) > SIZE - 4


def test_no_two_mails_are_alike() -> None:
    mails = [newsletter(n, address(1)) for n in range(500)]
    assert len(set(mails)) == 500
    assert len({email.message_from_bytes(m)["Message-ID"] for m in mails}) == 500


def test_it_is_a_sound_newsletter_with_text_html_and_tracker() -> None:
    mail = email.message_from_bytes(newsletter(7, address(7)), policy=email.policy.default)
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "mc_eid=" in text.get_content()
    assert "track/open.php" in html.get_content()
    assert mail["To"] == address(7)
    assert not mail.defects


def test_a_load_wraps_around_its_people_and_never_repeats_a_mail() -> None:
    load = Load(port=1, mails=6, sessions=1, people=4, first=2)
    mails = list(prepare(load))
    assert [m.recipients[0] for m in mails] == [
        f"RCPT TO:<{address(n)}>\r\n".encode() for n in (2, 3, 0, 1, 2, 3)
    ]  # fmt: skip
    assert len({m.content for m in mails}) == 6
    assert all(m.content.endswith(b"\r\n.\r\n") for m in mails)


def test_many_recipients_get_one_mail() -> None:
    (mail,) = prepare(Load(port=1, mails=1, sessions=1, people=900, recipients=500))
    assert len(set(mail.recipients)) == 500
