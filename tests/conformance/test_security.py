"""De Kleine Parel, "Webformulieren", "Beveiliging", "Verwerkingsovereenkomsten": encrypted, and by contract."""

from __future__ import annotations

import base64
import contextlib
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import (
    CRM,
    NEWSLETTER,
    OFFICE,
    OFFICER,
    SHOP,
    SHOP_MAIL,
    attempted,
    checked,
    counted,
    counts_more,
    from_database,
    held,
    looked_up,
    reader,
    request,
    visit,
)
from tests.e2e.altered import Altered
from tests.e2e.post import PAREL, arrived, consent, header, mail, opt_out_url, person, send, wait
from tests.e2e.watching import queue

SETTINGS = "organisations/kleine-parel.yaml"


@pytest.mark.parametrize("key", ["opt_out_url", "controller.policy_url"])
def test_s16_settings_whose_pages_are_not_encrypted_do_not_load(
    shared: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    def point(scheme: str) -> Callable[[Any], None]:
        def change(settings: Any) -> None:
            *above, name = key.split(".")
            for part in above:
                settings = settings[part]
            settings[name] = f"{scheme}://afmelden.dekleineparel.nl"

        return change

    assert checked(shared, tmp_path / "a", SETTINGS, point("http"))[0] == 2
    said = capsys.readouterr().err
    assert (key in said, "https" in said) == (True, True)
    assert checked(shared, tmp_path / "b", SETTINGS, point("https"))[0] == 0


def test_s16_the_page_keeps_a_browser_to_https_and_sends_its_form_nowhere_else(shared: Stage) -> None:
    who = reader(shared, person("formulier"))
    from_database(shared, who, **NEWSLETTER)
    page = visit(opt_out_url(arrived(shared, [who])[0].content))
    assert page.status == 200
    assert page.headers["strict-transport-security"] == "max-age=63072000"
    assert "form-action 'self'" in page.headers["content-security-policy"]


def test_s16_an_interest_is_stored_as_the_one_that_was_given(shared: Stage) -> None:
    who = person("formulier")
    shared.people("kleine-parel", [request(who, "materialen"), consent(who, "list:nieuwsbrief")])
    known = looked_up(shared, who)["facts"]
    assert known["requests"] == ["materialen"]
    assert [text.split()[0] for text in known["consents"]] == ["list:nieuwsbrief"]


def test_s25_mail_travels_over_verified_tls(altered: Altered) -> None:
    who = reader(altered.stage, person("versleuteld"))
    assert from_database(altered.stage, who, **NEWSLETTER).code == 250
    assert [copy.tls for copy in altered.at_mailing(who)] == [True]


def test_s25_to_a_provider_without_tls_not_one_octet_travels(altered: Altered) -> None:
    stage, who = altered.stage, person("versleuteld")
    sent = send(stage, SHOP, mail(SHOP_MAIL, [who], text="Medicatie: geheim.\n", reference="o25"), [who])
    assert sent.code == 250
    attempted(stage, sent)
    (row,) = queue(stage, sent.id)
    assert (row["state"], "tls" in row["reason"]) == ("queued", True), row
    stage.command("queue", "drop", sent.id, *OFFICER)
    assert not [t for t in altered.office.accepted if who in t.to]


def test_s25_sensitive_mail_waits_where_its_provider_has_no_authenticated_tls(altered: Altered) -> None:
    who = person("versleuteld")
    marks = {"sensitive": "yes", "reference": "intake-25"}
    sent = send(altered.stage, OFFICE, mail(PAREL, [who], **marks), [who])
    assert "not reached over authenticated TLS" in held(altered.stage, sent)
    altered.stage.command("queue", "release", sent.id, *OFFICER)
    wait(lambda: "sensitive-transport" in str(queue(altered.stage, sent.id)[0]["reason"]), "the second look")
    assert not [t for t in altered.office.accepted if who in t.to], "nor after a release"
    plain = send(altered.stage, OFFICE, mail(PAREL, [who]), [who])
    assert plain.code == 250
    assert len(altered.at_office(who)) == 1, "other mail may go there"


@pytest.mark.parametrize("mark", [{}, {"sensitive": "no"}])
def test_s25_what_a_mail_says_makes_it_sensitive_and_no_header_takes_that_away(
    shared: Stage, mark: dict[str, str]
) -> None:
    who = person("hulpvraag")
    sent = send(shared, OFFICE, mail(PAREL, [who], text="Graag hoor ik welke medicatie u gebruikt.\n", **mark), [who])
    assert held(shared, sent) == "sensitive: reference of the explicit consent missing"
    asked = {"reference": "intake-7", **mark}
    sent = send(shared, OFFICE, mail(PAREL, [who], text="Uw hulpvraag en di\u00ebten.\n", **asked), [who])
    assert sent.code == 250
    assert len(arrived(shared, [who])) == 1


def test_s25_a_field_that_asks_to_do_without_encryption_does_not_leave(shared: Stage) -> None:
    who = person("versleuteld")
    asking = mail(PAREL, [who], sensitive="yes", reference="intake-8")
    asking["TLS-Required"] = "No"
    assert send(shared, OFFICE, asking, [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert header(copy.content, "TLS-Required") == []


def test_s25_settings_that_send_in_plain_text_over_a_network_do_not_load(
    shared: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def expose(settings: Any) -> None:
        settings["providers"][0].update(host="smtp.elders.example", tls="none")

    assert checked(shared, tmp_path, SETTINGS, expose)[0] == 2
    assert "tls: is 'none'" in capsys.readouterr().err


def session(stage: Stage, secure: bool, source: str = "127.0.0.1") -> smtplib.SMTP:
    made = smtplib.SMTP(*stage.ports["submission"], timeout=180, source_address=(source, 0))
    if secure:
        made.starttls(context=ssl.create_default_context(cafile=str(stage.folder / "certificate.pem")))
    made.ehlo("kantoor.example")
    return made


def test_s26_nothing_is_taken_without_encryption_and_without_a_credential(shared: Stage) -> None:
    secret = base64.b64encode(f"\0{OFFICE}\0{shared.secrets[OFFICE]}".encode()).decode()
    before = counted(shared, "S-26")
    with session(shared, secure=False) as plain:
        assert plain.mail(PAREL)[0] == 530
        assert plain.docmd("AUTH", f"PLAIN {secret}")[0] in (530, 538)
        assert plain.mail(PAREL)[0] == 530
    with session(shared, secure=True) as nobody:
        assert nobody.mail(PAREL)[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            nobody.login(OFFICE, "geraden")
        assert nobody.mail(PAREL)[0] == 530
    with session(shared, secure=True) as office:
        assert office.docmd("AUTH", f"PLAIN {secret}")[0] == 235
        assert office.mail(PAREL)[0] == 250
    counts_more(shared, "S-26", before)


def test_s26_from_another_network_the_right_secret_does_not_help(altered: Altered) -> None:
    stage = altered.stage
    with session(stage, secure=True) as own:
        own.login(CRM, stage.secrets[CRM])
        assert own.mail(PAREL)[0] == 250
    with session(stage, secure=True, source="127.200.0.1") as elsewhere:
        with pytest.raises(smtplib.SMTPAuthenticationError) as said:
            elsewhere.login(CRM, stage.secrets[CRM])
        assert said.value.smtp_code in (535, 554)
        with contextlib.suppress(smtplib.SMTPServerDisconnected):  # hanging up is a refusal too
            assert elsewhere.mail(PAREL)[0] in (503, 530, 554)
    with smtplib.SMTP(*stage.ports["relay"], timeout=180, source_address=("127.200.0.1", 0)) as wire:
        wire.ehlo("kantoor.example")
        assert wire.mail(PAREL)[0] in (530, 554), "nor does the wire itself"


@pytest.mark.parametrize("missing", ["contract", "rights_clause"])
@pytest.mark.parametrize("kind", ["providers", "third_parties"])
def test_s27_nobody_gets_mail_or_data_without_a_contract(
    shared: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, missing: str
) -> None:
    names = []

    def forget(settings: Any) -> None:
        names.append(settings[kind][1]["name"])
        del settings[kind][1][missing]

    code, copy = checked(shared, tmp_path, SETTINGS, forget)
    said = capsys.readouterr().err
    assert code == 2
    assert f"{kind}.{names[0]}.{missing}" in said
    assert f"{copy}/{SETTINGS}:" in said, "with file and line"


def test_s27_a_gateway_with_such_settings_does_not_start(shared: Stage, tmp_path: Path) -> None:
    def forget(settings: Any) -> None:
        settings["providers"][1]["rights_clause"] = False

    code, copy = checked(shared, tmp_path, SETTINGS, forget)
    line = [sys.executable, "-m", "gateway", "serve", "--config", str(copy / "gateway.yaml")]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=180)
    assert (code, ran.returncode) == (2, 2)
    assert "providers.mailing.rights_clause" in ran.stderr
    assert checked(shared, tmp_path / "whole", SETTINGS, lambda _: None)[0] == 0
