"""`keys api` and `keys webhook`: a token or secret once, a digest or key in its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.client_secret import check_secret
from gateway.config.credentials import Credentials
from gateway.config.load import load
from tests.cli.example import ready, run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    found = ready(tmp_path)
    file = found.parent / "organisations" / "alpha.yaml"
    client = load(found, ()).organisation("alpha").clients[0].name
    hook = f"webhooks:\n  - {{name: told, url: 'https://crm.example/hook', client: {client}, secret: told}}\n"
    file.write_text(file.read_text("utf-8") + hook, "utf-8")
    return found


def client_of(config: Path) -> str:
    return load(config, ()).organisation("alpha").clients[0].name


def credentials(config: Path) -> Credentials:
    return Credentials.of(load(config, ()).gateway)


def test_a_token_is_printed_once_and_kept_as_a_digest(config: Path) -> None:
    name = client_of(config)
    made = run("keys", "api", name, "--config", str(config))
    client, _, secret = made.stdout.split()[1].partition(".")
    stored = credentials(config).api_token("alpha", name)
    assert client == name
    assert check_secret(stored, secret)
    assert secret not in stored


def test_nothing_is_replaced_unasked(config: Path) -> None:
    name = client_of(config)
    first = run("keys", "api", name, "--config", str(config))
    again = run("keys", "api", name, "--config", str(config))
    new = run("keys", "api", name, "--replace", "--config", str(config))
    assert (again.exit_code, "--replace" in again.stderr) == (1, True)
    assert new.stdout != first.stdout


def test_unknown_names_are_answered_with_the_known_ones(config: Path) -> None:
    assert "expected one of" in run("keys", "api", "nobody", "--config", str(config)).stderr
    assert "expected one of: told" in run("keys", "webhook", "nobody", "--config", str(config)).stderr


def test_a_webhook_secret_is_what_its_receiver_expects(config: Path) -> None:
    made = run("keys", "webhook", "told", "--config", str(config))
    assert made.stdout.startswith("secret  whsec_")
    assert len(credentials(config).webhook_secret("alpha", "told")) == 32


def test_a_missing_or_short_secret_names_the_command(config: Path) -> None:
    organisations = load(config, ()).organisations
    assert "briefgeheim keys webhook" in "\n".join(credentials(config).check(organisations))
    credentials(config).create("alpha.webhook.told", b"whsec_c2hvcnQ=\n")
    assert "24 octets or more" in "\n".join(credentials(config).check(organisations))
