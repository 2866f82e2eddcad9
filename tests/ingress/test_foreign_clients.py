"""Mail programs that others wrote, against real listeners."""

from __future__ import annotations

import asyncio
import email
import json
import shutil
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from gateway import reply
from gateway.address import Address
from gateway.envelope import Envelope, Notify
from gateway.reply import Reply
from tests.ingress.setting import PASSWORD, Site

CLIENTS = Path(__file__).parents[1] / "clients"
SECURE = ["submission", "implicit"]


async def run(*command: str, stdin: bytes = b"") -> tuple[int, str]:
    """Exit code and all output."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(stdin), 180)
    return process.returncode or 0, output.decode(errors="replace")


def the_message(site: Site) -> tuple[Envelope, EmailMessage, bytes]:
    ((envelope, content),) = site.recorder.messages
    parsed = email.message_from_bytes(content, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    return envelope, parsed, content


def course_mail() -> EmailMessage:
    mail = EmailMessage(policy=SMTP.clone(cte_type="8bit"))
    mail["From"] = "Cursusbureau <cursus@example.org>"
    mail["To"] = "deelnemer@example.net"
    mail["Subject"] = "Cursusdag"
    mail.set_content("Beste deelnemer,\r\n.\r\n..een regel met punten\r\nTot dan, Zoë\r\n", charset="utf-8", cte="8bit")
    mail.add_attachment(bytes(range(256)) * 40, "application", "octet-stream", filename="rooster.bin")
    mail.set_boundary("grens")
    return mail


# -- Python smtplib ------------------------------------------------------------------------------------------------


async def test_smtplib_over_the_relay_listener_with_dsn(site: Site) -> None:
    mail = course_mail()

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", site.ports["relay"], timeout=120) as client:
            client.ehlo()
            return client.sendmail(
                "cursus@example.org",
                ["deelnemer@example.net", "tweede@example.net"],
                mail.as_bytes(),
                mail_options=["BODY=8BITMIME", "RET=HDRS", "ENVID=abc"],
                rcpt_options=["NOTIFY=FAILURE,DELAY"],
            )

    assert await asyncio.to_thread(send) == {}
    envelope, _, content = the_message(site)
    assert content == mail.as_bytes()
    assert (envelope.ret, envelope.envid, envelope.eight_bit) == ("HDRS", "abc", True)
    assert [r.notify for r in envelope.recipients] == [{Notify.FAILURE, Notify.DELAY}] * 2


@pytest.mark.parametrize("listener", SECURE)
async def test_smtplib_logs_in_and_sends_several_on_one_connection(site: Site, listener: str) -> None:
    context = site.certificates.client()

    def send() -> None:
        if listener == "implicit":
            client: smtplib.SMTP = smtplib.SMTP_SSL("localhost", site.ports[listener], context=context, timeout=120)
        else:
            client = smtplib.SMTP("localhost", site.ports[listener], timeout=120)
            client.starttls(context=context)
        with client:
            client.login("crm", PASSWORD)
            for _ in range(3):
                client.send_message(course_mail())

    await asyncio.to_thread(send)
    assert site.recorder.contents == [course_mail().as_bytes()] * 3
    assert {e.client for e, _ in site.recorder.messages} == {"crm"}


async def test_smtplib_sends_utf8_addresses(site: Site) -> None:
    mail = EmailMessage(policy=SMTP.clone(utf8=True))
    mail["From"], mail["To"], mail["Subject"] = "zoë@exämple.org", "josé@example.net", "ünïcode"
    mail.set_content("x")

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", site.ports["relay"], timeout=120) as client:
            client.send_message(mail)

    await asyncio.to_thread(send)
    envelope, _, content = the_message(site)
    assert envelope.smtputf8
    assert envelope.recipients[0].address.reveal() == "josé@example.net"
    assert "zoë@exämple.org".encode() in content


async def test_smtplib_hears_about_a_wrong_password(site: Site) -> None:
    def send() -> None:
        with smtplib.SMTP_SSL(
            "localhost", site.ports["implicit"], context=site.certificates.client(), timeout=120
        ) as client:
            client.login("crm", "wrong")

    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        await asyncio.to_thread(send)
    assert caught.value.smtp_code == 535


# -- swaks ---------------------------------------------------------------------------------------------------------


@pytest.mark.needs("swaks")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("listener", SECURE)
async def test_swaks_logs_in_and_sends(site: Site, listener: str, mechanism: str) -> None:
    tls = "--tls-on-connect" if listener == "implicit" else "--tls"
    code, output = await run(
        *("swaks", "--server", "127.0.0.1", "--port", str(site.ports[listener]), tls, "--auth", mechanism),
        *("--auth-user", "crm", "--auth-password", PASSWORD, "--from", "a@example.org", "--to", "b@example.net"),
        *("--header", "Subject: van swaks", "--body", ".\nregel\n.."),
    )
    assert code == 0, output
    envelope, mail, _ = the_message(site)
    assert (envelope.client, envelope.peer.authenticated, mail["Subject"]) == ("crm", True, "van swaks")
    assert mail.get_content().split() == [".", "regel", ".."]


@pytest.mark.needs("swaks")
async def test_swaks_pipelines_and_hears_each_refusal(site: Site) -> None:
    async def refuse(client: str, address: Address) -> Reply | None:
        return reply.BLOCKED if address.local == "geblokkeerd" else None

    site.recorder.refusal = refuse
    code, output = await run(
        *(
            "swaks",
            "--server",
            "127.0.0.1",
            "--port",
            str(site.ports["relay"]),
            "--pipeline",
            "--from",
            "a@example.org",
        ),
        *("--to", "vrij@example.net,geblokkeerd@example.net"),
    )
    assert code == 0, output
    assert "<** 550 5.7.1 Refused: recipient is blocked" in output
    envelope, _, _ = the_message(site)
    assert [r.address.local for r in envelope.recipients] == ["vrij"]


@pytest.mark.needs("swaks")
async def test_swaks_is_refused_without_login(site: Site) -> None:
    code, output = await run(
        *("swaks", "--server", "127.0.0.1", "--port", str(site.ports["submission"]), "--from", "a@example.org"),
        *("--to", "b@example.net"),
    )
    assert code != 0
    assert "530 5.7.0" in output
    assert site.recorder.messages == []


# -- msmtp ---------------------------------------------------------------------------------------------------------


def msmtp_settings(site: Site, listener: str, folder: Path, password: str = PASSWORD) -> Path:
    path = folder / "msmtprc"
    lines = ["account default", "host localhost", f"port {site.ports[listener]}", "from a@example.org", "timeout 10"]
    if listener != "relay":
        lines += ["auth plain", "user crm", f"password {password}", "tls on", f"tls_trust_file {site.certificates.ca}"]
        lines += [f"tls_starttls {'off' if listener == 'implicit' else 'on'}"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.needs("msmtp")
@pytest.mark.parametrize("listener", ["relay", *SECURE])
async def test_msmtp_sends(site: Site, tmp_path: Path, listener: str) -> None:
    settings = msmtp_settings(site, listener, tmp_path)
    mail = b"From: a@example.org\nTo: b@example.net\nSubject: van msmtp\n\n.\n..\ntekst\n"
    code, output = await run("msmtp", f"--file={settings}", "b@example.net", "c@example.net", stdin=mail)
    assert code == 0, output
    envelope, _, content = the_message(site)
    assert content.endswith(b"Subject: van msmtp\r\n\r\n.\r\n..\r\ntekst\r\n")
    assert len(envelope.recipients) == 2
    assert envelope.client == ("shop" if listener == "relay" else "crm")


@pytest.mark.needs("msmtp")
async def test_msmtp_hears_about_a_wrong_password(site: Site, tmp_path: Path) -> None:
    settings = msmtp_settings(site, "implicit", tmp_path, password="wrong")
    code, output = await run("msmtp", f"--file={settings}", "b@example.net", stdin=b"Subject: x\n\nx\n")
    assert code == 77, output  # EX_NOPERM
    assert "535 5.7.8" in output


# -- nodemailer ----------------------------------------------------------------------------------------------------


async def nodemailer(site: Site, listener: str, mail: object, **transport: object) -> tuple[int, str]:
    settings = {
        "host": "localhost",
        "port": site.ports[listener],
        "secure": listener == "implicit",
        "tls": {"ca": site.certificates.ca.read_text("utf-8")},
        **({} if listener == "relay" else {"auth": {"user": "crm", "pass": PASSWORD}}),
        **transport,
    }
    node = shutil.which("node") or "node"
    return await run(node, str(CLIENTS / "send.mjs"), stdin=json.dumps({"transport": settings, "mail": mail}).encode())


MAIL = {
    "from": "a@example.org",
    "to": "b@example.net",
    "subject": "van nodemailer",
    "text": ".\n..\nZoë",
    "html": "<p>Zoë",
}


@pytest.mark.needs("node", "npm:nodemailer")
@pytest.mark.parametrize("listener", ["relay", *SECURE])
async def test_nodemailer_sends(site: Site, listener: str) -> None:
    code, output = await nodemailer(
        site,
        listener,
        {**MAIL, "dsn": {"id": "Abc1", "return": "headers", "notify": "failure", "recipient": "b@example.net"}},
    )
    assert code == 0, output
    assert json.loads(output)[0]["response"] == str(reply.QUEUED)
    envelope, mail, _ = the_message(site)
    assert (envelope.ret, envelope.envid) == ("HDRS", "Abc1")
    assert envelope.recipients[0].notify == {Notify.FAILURE}
    assert envelope.recipients[0].orcpt == "rfc822;b@example.net"
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().split() == [".", "..", "Zoë"]


@pytest.mark.needs("node", "npm:nodemailer")
async def test_nodemailer_reuses_its_connection_and_hears_a_refusal(site: Site) -> None:
    async def refuse(envelope: Envelope, content: bytes) -> Reply:
        return reply.LEAK if b"lek" in content else reply.QUEUED

    site.recorder.answer = refuse
    code, output = await nodemailer(
        site, "submission", [{**MAIL, "subject": s} for s in ("een", "twee", "lek")], pool=True, maxConnections=1
    )
    assert code == 1
    assert json.loads(output) == {"code": 550, "response": str(reply.LEAK), "command": "DATA"}
    assert len(site.recorder.messages) == 3
