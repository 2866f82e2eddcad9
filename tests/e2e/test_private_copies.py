"""Nobody sees anybody (I-1, S-10), with clients that somebody else wrote."""

from __future__ import annotations

import email
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, arrived, dns, header, mail, person, readable, send, settled, verifies

CLIENTS = Path(__file__).parents[1] / "clients"
HTML = (
    "<html><body><p>Tot zaterdag!</p><img src='https://t.example/o/9f8e7d6c5b4a39281706' width=1 height=1>"
    "</body></html>"
)


def course(stage: Stage, number: int) -> tuple[list[str], bytes]:
    people = [person("cursist") for _ in range(number)]
    stage.people("kleine-parel", [{"address": a, "kind": "enrolment", "reference": "cursus-1"} for a in people])
    message = mail(PAREL, people[: number // 2], html=HTML, stream="participation", reference="cursus-1")
    message["Cc"] = ", ".join(people[number // 2 :])
    message["Disposition-Notification-To"] = PAREL
    return people, message.as_bytes(policy=email.policy.SMTP)


def with_smtplib(stage: Stage, people: list[str], content: bytes, _folder: Path) -> None:
    sent = send(stage, "kleine-parel-crm", content, people)
    assert sent.code == 250, sent.reply


def with_swaks(stage: Stage, people: list[str], content: bytes, folder: Path) -> None:
    file = folder / "mail.eml"
    file.write_bytes(content)
    address, port = stage.ports["submission"]
    subprocess.run(
        ["swaks", "--server", address, "--port", str(port), "--tls", "--auth", "PLAIN", "--auth-user",
         "kleine-parel-crm", "--auth-password", stage.secrets["kleine-parel-crm"], "--from", PAREL,
         "--to", ",".join(people), "--data", f"@{file}", "--silent", "2"],
        check=True, timeout=180, capture_output=True,
    )  # fmt: skip


def with_msmtp(stage: Stage, people: list[str], content: bytes, folder: Path) -> None:
    port = stage.ports["submission"][1]
    settings = folder / "msmtprc"
    settings.write_text(
        f"account default\nhost localhost\nport {port}\nfrom {PAREL}\ntls on\ntls_starttls on\n"
        f"tls_trust_file {stage.folder / 'certificate.pem'}\nauth plain\nuser kleine-parel-crm\n"
        f"password {stage.secrets['kleine-parel-crm']}\n"
    )
    settings.chmod(0o600)
    subprocess.run(["msmtp", "-C", str(settings), *people], input=content, check=True, timeout=180)


def with_nodemailer(stage: Stage, people: list[str], content: bytes, folder: Path) -> None:
    file = folder / "mail.eml"
    file.write_bytes(content)
    address, port = stage.ports["submission"]
    script = (
        "const nm=require('nodemailer'),fs=require('fs');const [,host,port,pass,file,to]=process.argv;"
        "nm.createTransport({host,port:+port,requireTLS:true,tls:{rejectUnauthorized:false},"
        "auth:{user:'kleine-parel-crm',pass}}).sendMail({envelope:{from:'info@dekleineparel.nl',to:to.split(',')},"
        "raw:fs.readFileSync(file)}).then(()=>process.exit(0),e=>{console.error(e);process.exit(1)})"
    )
    subprocess.run(
        ["node", "-e", script, address, str(port), stage.secrets["kleine-parel-crm"], str(file), ",".join(people)],
        check=True, timeout=180, cwd=CLIENTS,
    )  # fmt: skip


@pytest.mark.parametrize(
    "submit",
    [
        with_smtplib,
        pytest.param(with_swaks, marks=pytest.mark.needs("swaks")),
        pytest.param(with_msmtp, marks=pytest.mark.needs("msmtp")),
        pytest.param(with_nodemailer, marks=pytest.mark.needs("node", "npm:nodemailer")),
    ],
)
def test_s10_25_participants_get_25_private_signed_copies(
    shared: Stage, tmp_path: Path, submit: Callable[[Stage, list[str], bytes, Path], None]
) -> None:
    people, content = course(shared, 25)
    submit(shared, people, content, tmp_path)
    copies = arrived(shared, people)
    settled(shared)
    assert sorted(c.recipient for c in copies) == sorted(people)
    records = dns(shared)
    for copy in copies:
        shown = readable(copy.content)
        assert [a for a in people if a != copy.recipient and a.encode() in shown] == []
        assert header(copy.content, "To") == [copy.recipient]
        assert header(copy.content, "Cc") == []
        assert header(copy.content, "Disposition-Notification-To") == []
        assert verifies(copy.content, records)


def test_office_mail_to_several_people_is_private_too(shared: Stage) -> None:
    people = [person("relatie") for _ in range(3)]
    sent = send(shared, "kleine-parel-office", mail("wil@dekleineparel.nl", people), people)
    assert sent.code == 250, sent.reply
    for copy in arrived(shared, people):
        assert [a for a in people if a != copy.recipient and a.encode() in readable(copy.content)] == []


def test_single_recipient_mail_that_shows_other_people_is_a_leak_too(shared: Stage) -> None:
    people = [person("lid") for _ in range(3)]
    shared.people("kleine-parel", [{"address": a, "kind": "enrolment", "reference": "cursus-2"} for a in people])
    shown = mail(PAREL, people, text=f"De groep: {', '.join(people)}\n", stream="participation", reference="cursus-2")
    sent = send(shared, "kleine-parel-crm", shown, people[:1])
    assert sent.code == 250
    listed = shared.command("queue", "list", "--state", "held", "--json")
    assert sent.id in listed
    assert not any(a in listed for a in people)


def test_people_hear_at_once_that_their_mail_shows_others(shared: Stage) -> None:
    people = [person("gast") for _ in range(3)]
    leaky = mail("wil@dekleineparel.nl", people[:2], text=f"Vraag het aan {people[1]} of {people[0]}.\n")
    sent = send(shared, "kleine-parel-office", leaky, people[:2])
    assert (sent.code, sent.reply[:5]) == (550, "5.7.1")
    assert not any(a in sent.reply for a in people)
