"""`briefgeheim keys` on real settings in a folder of its own."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import dkim
import pytest
from typer.testing import CliRunner, Result

from gateway.cli.keys import app
from gateway.config.client_secret import check_secret
from gateway.config.credentials import Credentials
from gateway.signing.dkim import Signer

GOOD = Path(__file__).parents[1] / "bad_config" / "good"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Path(shutil.copytree(GOOD, tmp_path / "config")) / "gateway.yaml"


@pytest.fixture
def store(config: Path) -> Credentials:
    return Credentials(config.parent / "state" / "credentials")


def run(config: Path, *words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(config)], input=stdin)


def test_init_makes_every_key_once(config: Path, store: Credentials) -> None:
    first = run(config, "init")
    assert first.exit_code == 0, first.output
    made = {p.name: p.read_bytes() for p in store.folder.iterdir()}
    assert set(made) == {
        "spool.key",
        "audit.key",
        "alpha.token",
        "alpha.pseudonym",
        "alpha.cases",
        "alpha.dkim.s1.alpha.example.pem",
        "beta.token",
        "beta.pseudonym",
        "beta.cases",
    }
    assert len(set(made.values())) == 9
    assert "every block" in first.stdout
    assert "alpha.client.crm: missing; make it with `briefgeheim keys client" in first.stdout
    again = run(config, "init")
    assert {p.name: p.read_bytes() for p in store.folder.iterdir()} == made, "nothing is ever replaced"
    assert again.stdout.startswith("0 made")


def test_init_makes_what_a_new_organisation_lacks(config: Path, store: Credentials) -> None:
    run(config, "init")
    (store.folder / "beta.token").unlink()
    kept = (store.folder / "alpha.token").read_bytes()
    run(config, "init")
    assert (store.folder / "beta.token").exists()
    assert (store.folder / "alpha.token").read_bytes() == kept


def test_keys_are_never_printed(config: Path, store: Credentials) -> None:
    printed = run(config, "init").output + run(config, "dns").output
    for path in store.folder.iterdir():
        for line in path.read_text().splitlines():
            assert line.split()[-1] not in printed or "-----" in line


def test_a_clients_secret_is_shown_once_and_stored_as_a_digest(config: Path, store: Credentials) -> None:
    shown = run(config, "client", "alpha-crm")
    assert shown.exit_code == 0, shown.output
    secret = shown.stdout.split()[-1]
    stored = (store.folder / "alpha.client.crm").read_text()
    assert secret not in stored
    assert check_secret(store.client_secret("alpha", "crm"), secret)
    assert stat.S_IMODE((store.folder / "alpha.client.crm").stat().st_mode) == 0o600


def test_a_clients_secret_is_replaced_only_when_asked(config: Path, store: Credentials) -> None:
    run(config, "client", "alpha-crm")
    before = store.client_secret("alpha", "crm")
    refused = run(config, "client", "alpha-crm")
    assert (refused.exit_code, store.client_secret("alpha", "crm")) == (1, before)
    assert "--replace" in refused.stderr
    assert run(config, "client", "alpha-crm", "--replace").exit_code == 0
    assert store.client_secret("alpha", "crm") != before


@pytest.mark.parametrize(("name", "expected"), [("nobody", "expected one of: alpha-crm"), ("alpha-shop", "network")])
def test_a_client_that_has_no_secret_is_told(config: Path, name: str, expected: str) -> None:
    result = run(config, "client", name)
    assert result.exit_code == 1
    assert expected in result.stderr


def test_a_providers_password_comes_from_standard_input(config: Path, store: Credentials) -> None:
    result = run(config, "provider", "bulk", stdin="open sesame\n")
    assert result.exit_code == 0, result.output
    assert store.provider_password("alpha", "bulk") == "open sesame"
    assert "sesame" not in result.output
    assert run(config, "provider", "bulk", stdin="other\n").exit_code == 1
    assert run(config, "provider", "bulk", "--replace", stdin="other\n").exit_code == 0
    assert store.provider_password("alpha", "bulk") == "other"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("none",), "no provider 'none'"),
        (("bulk", "--organisation", "beta"), "no provider 'bulk' of beta"),
        (("local",), "has no `secret:`"),
        (("bulk",), "one line"),
    ],
)
def test_a_provider_that_cannot_be_stored_is_told(config: Path, words: tuple[str, ...], expected: str) -> None:
    result = run(config, "provider", *words, stdin="\n")
    assert result.exit_code == 1
    assert expected in result.stderr


def test_the_printed_record_verifies_what_the_key_signs(config: Path, store: Credentials) -> None:
    made = run(config, "dkim")
    assert made.exit_code == 0, made.output
    printed = run(config, "dns", "--organisation", "alpha")
    assert printed.stdout == made.stdout
    [record] = printed.stdout.splitlines()
    assert record.startswith("s1._domainkey.alpha.example. IN TXT (")
    text = "".join(re.findall(r'"([^"]*)"', record)).encode()
    message = b"From: a@alpha.example\r\n\r\nhello\r\n"
    field = Signer("alpha.example", "s1", store.dkim("alpha", "s1", "alpha.example")).sign(message, now=1)
    assert dkim.verify(field + message, dnsfunc=lambda *_, **__: text)


def test_dkim_keeps_keys_that_are_there(config: Path, store: Credentials) -> None:
    run(config, "dkim")
    kept = store.dkim("alpha", "s1", "alpha.example")
    run(config, "dkim")
    assert store.dkim("alpha", "s1", "alpha.example") == kept


def test_dns_without_keys_says_how_to_make_them(config: Path) -> None:
    result = run(config, "dns")
    assert result.exit_code == 1
    assert "keys init" in result.stderr
    assert run(config, "dns", "--organisation", "none").exit_code == 1


def test_settings_with_errors_stop_every_command(config: Path, store: Credentials) -> None:
    config.write_text("zebra: 1\n" + config.read_text())
    for words in (["init"], ["client", "alpha-crm"], ["provider", "bulk"], ["dkim"], ["dns"]):
        result = run(config, *words)
        assert result.exit_code == 2
        assert "zebra: unknown key" in result.stderr
    assert not store.folder.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(config: Path) -> None:
    (config.parent / "state").mkdir()
    (config.parent / "state" / "credentials").write_text("a file")
    result = run(config, "init")
    assert result.exit_code == 1
    assert "spool.key: cannot be made: " in result.stderr
    assert len(result.stderr.splitlines()) == 1
