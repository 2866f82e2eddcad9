"""Settings of two small organisations with all keys and registries, for tests of commands."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.config.credentials import Credentials, dkim_file
from gateway.signing.keys import generate

ROOT = Path(__file__).parents[2]
NAMED = ("--operator", "A. Operator", "--reason", "asked by phone")
MAIL = (
    b"From: News <news@alpha.example>\r\nTo: anna@people.example, bert@people.example\r\nSubject: Spring\r\n"
    b"Date: Tue, 18 Nov 2025 09:30:00 +0100\r\nMessage-ID: <1@alpha.example>\r\n"
    b"Disposition-Notification-To: news@alpha.example\r\n\r\nHello.\r\n"
)


def run(*words: str) -> Result:
    """One command in this process."""
    return CliRunner().invoke(app, list(words))


def settings(folder: Path) -> Path:
    """A copy of the good settings; gives gateway.yaml."""
    shutil.copytree(ROOT / "tests" / "bad_config" / "good", folder / "config")
    return folder / "config" / "gateway.yaml"


@lru_cache
def _pem() -> bytes:
    return generate()


def ready(folder: Path) -> Path:
    """Settings with keys and registries."""
    config = settings(folder)
    store = Credentials(config.parent / "state" / "credentials")
    store.create(dkim_file("alpha", "s1", "alpha.example"), _pem())  # making one takes longer than most tests
    for words in (["keys", "init"], ["registry", "init", "--organisation", "alpha"],
                  ["registry", "init", "--organisation", "beta"]):  # fmt: skip
        made = run(*words, "--config", str(config))
        assert made.exit_code == 0, made.output
    return config
