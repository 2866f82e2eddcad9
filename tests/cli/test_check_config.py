"""`briefgeheim check-config`."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from gateway.cli import check_config
from gateway.cli.keys import app as keys

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "bad_config" / "good"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Path(shutil.copytree(GOOD, tmp_path / "config")) / "gateway.yaml"


def check(config: Path, *words: str) -> Result:
    app = typer.Typer()
    app.command()(check_config.command)
    return CliRunner().invoke(app, ["--config", str(config), *words])


def test_good_settings_end_with_zero_and_a_summary(config: Path) -> None:
    result = check(config)
    assert result.exit_code == 0, result.output
    assert "alpha: 2 domains (1 signed), 2 clients, 2 providers, 4 streams" in result.stdout
    assert "no errors" in result.stdout


def test_what_is_only_observed_is_said_aloud_and_a_day_that_is_past_is_no_error(config: Path) -> None:
    alpha = config.parent / "organisations" / "alpha.yaml"
    for day, words in (
        (date.today() + timedelta(days=2), "is only observed until"),
        (date(2020, 1, 1), "which is past"),
    ):
        text = (GOOD / "organisations" / "alpha.yaml").read_text()
        observed = f"    secret: crm\n    observe: [{{stream: newsletter, until: {day}}}]\n"
        alpha.write_text(text.replace("    secret: crm\n", observed, 1))
        result = check(config)
        assert result.exit_code == 0, result.output
        assert result.stderr.startswith("WARNING: alpha: newsletter of client alpha-crm ")
        assert words in result.stderr
    assert check(ROOT / "config" / "gateway.yaml").stderr == ""


def test_the_shipped_settings_are_good() -> None:
    assert check(ROOT / "config" / "gateway.yaml").exit_code == 0


def test_errors_end_with_two_and_a_line_each(config: Path) -> None:
    config.write_text("zebra: 1\nworkers: none\n" + config.read_text())
    result = check(config)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{config}:1: zebra: unknown key 'zebra', expected one of api, credentials, delivery, inspector, limits, "
        "listen, name, observe, organisations, own_trackers, registry, state, trackers, web, workers",
        f"{config}:2: workers: is 'none', expected a whole number",
        "2 errors",
    ]


def test_keys_are_looked_at_when_asked(config: Path) -> None:
    missing = check(config, "--keys")
    assert missing.exit_code == 2
    assert "spool.key: missing" in missing.stderr
    assert "chain.pem: missing; expected a PEM file for listener submission" in missing.stderr
    _complete(config)
    whole = check(config, "--keys")
    assert (whole.exit_code, whole.stderr) == (0, "")


def test_a_weak_signing_key_is_an_error(config: Path) -> None:
    _complete(config)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    path = config.parent / "state" / "credentials" / "alpha.dkim.s1.alpha.example.pem"
    path.write_bytes(weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    result = check(config, "--keys")
    assert result.exit_code == 2
    assert "RSA of 1024 bits; expected 2048" in result.stderr


def _complete(config: Path) -> None:
    runner = CliRunner()
    for words in (["init"], ["client", "alpha-crm"], ["client", "beta-office"], ["provider", "bulk"]):
        assert runner.invoke(keys, [*words, "--config", str(config)], input="password\n").exit_code == 0
    for name in ("chain.pem", "key.pem"):
        (config.parent / name).write_text("pem")
