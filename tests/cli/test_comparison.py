"""The page of before and after, as `explain --html` writes it; in a browser it loads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli import run
from tests.cli.example import ROOT

MAILS = ROOT / "tests" / "messages"
ASK = (
    "--client",
    "kleine-parel-crm",
    "--config",
    str(ROOT / "config" / "gateway.yaml"),
    "--assume-consent",
    "--any-sender",
)
AS = ("--mark", "Stream=newsletter", "--mark", "List=nieuwsbrief")


def explained(folder: Path, *mails: str) -> str:
    out = folder / "pages" / "page.html"
    assert run(["explain", *(str(MAILS / name) for name in mails), *ASK, *AS, "--html", str(out)]) == 0
    return out.read_text("utf-8")


def test_the_page_shows_decisions_and_marks_what_went_and_what_came(tmp_path: Path) -> None:
    page = explained(tmp_path, "course-mail.eml", "alternative.eml")
    assert '<del title="private_recipients: to">' in page
    assert '<ins title="opt_out: opt-out-text">' in page
    assert '<td class="deliver">deliver</td>' in page
    assert "Content-Security-Policy\" content=\"default-src 'none'" in page
    assert page.count("<h2>") == 2


def test_a_mail_refused_as_a_whole_is_on_it_too(tmp_path: Path) -> None:
    assert "Refused as a whole" in explained(tmp_path, "doubled-subject.eml")


def test_a_page_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "page.html"
    assert run(["explain", str(MAILS / "plain.eml"), *ASK, *AS, "--html", str(out)]) == 2
    assert f"--html {out}" in capsys.readouterr().err
