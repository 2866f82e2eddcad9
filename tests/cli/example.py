"""Settings of two small organisations with all keys and registries, for tests of commands."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from gateway.cli import app

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


def ready(folder: Path) -> Path:
    """Settings with keys and registries."""
    config = settings(folder)
    for words in (["keys", "init"], ["registry", "init", "--organisation", "alpha"],
                  ["registry", "init", "--organisation", "beta"]):  # fmt: skip
        made = run(*words, "--config", str(config))
        assert made.exit_code == 0, made.output
    return config
