"""Mail comes in over TLS, from a client that proved itself, from a network it may use, or not at all (S-26)."""

from __future__ import annotations

import base64
import smtplib
import ssl

import pytest

from gateway.demo.stage import Stage
from tests.e2e.altered import Altered
from tests.e2e.post import PAREL, REZULTO, mail, person, send

OFFICE = "kleine-parel-office"


def plain_session(stage: Stage) -> smtplib.SMTP:
    session = smtplib.SMTP(*stage.ports["submission"], timeout=180)
    session.ehlo("kantoor.example")
    return session


def secured(stage: Stage, version: ssl.TLSVersion | None = None) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(stage.folder / "certificate.pem"))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    session = plain_session(stage)
    session.starttls(context=context)
    session.ehlo("kantoor.example")
    return session


def credential(stage: Stage, client: str) -> str:
    return base64.b64encode(f"\0{client}\0{stage.secrets[client]}".encode()).decode()


@pytest.mark.parametrize("command", ["AUTH PLAIN {}", "AUTH LOGIN"])
def test_s26_login_in_plain_text_is_refused(shared: Stage, command: str) -> None:
    with plain_session(shared) as session:
        assert not session.has_extn("auth")
        code, _ = session.docmd(command.format(credential(shared, OFFICE)))
        assert code in (530, 538)
        assert session.mail(PAREL)[0] == 530  # and it did not count as a login


def test_s26_nothing_can_be_sent_without_tls_or_without_login(shared: Stage) -> None:
    with plain_session(shared) as session:
        assert session.mail(PAREL)[0] == 530
    with secured(shared) as session:
        assert session.mail(PAREL)[0] == 530
        assert session.docmd("AUTH", f"PLAIN {base64.b64encode(b'x').decode()}")[0] >= 500
        assert session.mail(PAREL)[0] == 530


def test_s26_a_wrong_secret_is_refused_without_saying_what_was_wrong(shared: Stage) -> None:
    answers = set()
    for name, secret in ((OFFICE, "fout"), ("niemand", shared.secrets[OFFICE]), ("kleine-parel-crm", "fout")):
        with secured(shared) as session, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            session.login(name, secret)
        answers.add((refused.value.smtp_code, refused.value.smtp_error))
    assert len(answers) == 1


def test_s26_old_tls_is_refused(shared: Stage) -> None:
    with (
        pytest.warns(DeprecationWarning, match="TLSv1_1"),
        pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, OSError)),
    ):
        secured(shared, ssl.TLSVersion.TLSv1_1)


def test_s26_the_right_secret_from_a_foreign_network_is_refused_before_mail(altered: Altered) -> None:
    with secured(altered.stage) as session:
        code, text = session.docmd("AUTH", f"PLAIN {credential(altered.stage, 'rezulto-crm')}")
        assert code in (535, 554)
        assert b"127." not in text
        try:
            assert session.mail(REZULTO)[0] in (503, 530, 554)
        except smtplib.SMTPServerDisconnected:
            pass  # hanging up is a refusal too
    # The same machine is welcome as a client that may come from here.
    who = person()
    assert send(altered.stage, OFFICE, mail(PAREL, [who]), [who]).code == 250


def test_s26_the_relay_port_knows_clients_by_network_alone(altered: Altered, shared: Stage) -> None:
    # On 127.0.0.0/8 just one client is known by its network: the training institute's database.
    for stage in (altered.stage, shared):
        with smtplib.SMTP(*stage.ports["relay"], timeout=180) as session:
            session.ehlo("kantoor.example")
            assert session.mail(PAREL)[0] == 250
            who = person()
            assert session.rcpt(who)[0] == 250
            code, text = session.data(mail(REZULTO, [who], stream="newsletter").as_bytes().replace(b"\n", b"\r\n"))
            assert (code, text[:5]) == (550, b"5.7.1")
