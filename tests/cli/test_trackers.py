"""`briefgeheim trackers`: what the rules make of one address, and the facts in force."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.example import ROOT, ready, run

OWN = """version: 2026-11-01
opens:
  - name: ours
    source: our own mail
    licence: own
    hosts: [teller.voorbeeld.example]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    made = ready(tmp_path)
    (made.parent / "trackers.yaml").write_bytes((ROOT / "config" / "trackers.yaml").read_bytes())
    return made


def check(config: Path, address: str, *words: str) -> dict[str, object]:
    result = run("trackers", "check", address, *words, "--json", "--config", str(config))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_a_known_recorder_is_named_with_its_fact(config: Path) -> None:
    found = check(config, "https://u1.ct.sendgrid.net/wf/open?upn=abc")
    assert found["picture of visible size"] == "goes (known-path)"
    assert "opens, mail-platforms: sendgrid.net/wf/open*" in str(found["facts"])


def test_a_picture_is_judged_by_the_size_that_is_given(config: Path) -> None:
    address = "https://e.example/a?u=81"
    assert check(config, address, "--width", "1", "--height", "1")["picture"] == "goes (pixel)"
    assert check(config, address, "--width", "600")["picture"] == "stays"


def test_a_link_shows_what_it_becomes(config: Path) -> None:
    assert (
        check(config, "https://e.example/?utm_source=x&b=1")["link"]
        == "becomes https://e.example/?b=1 (link-parameter)"
    )
    redirect = "https://x.mjt.lu/lnk/a/1/b/aHR0cHM6Ly9lLmV4YW1wbGUvYQ"
    assert check(config, redirect)["link"] == "becomes https://e.example/a (redirect)"
    assert check(config, "https://e.example/afmelden?utm_source=x")["link"] == "stays"


def test_own_facts_are_added_and_listed(config: Path) -> None:
    assert check(config, "https://teller.voorbeeld.example/a.gif")["picture of visible size"] == "stays"
    (config.parent / "own.yaml").write_text(OWN)
    config.write_text(config.read_text() + "own_trackers: [own.yaml]\n")
    assert check(config, "https://teller.voorbeeld.example/a.gif")["picture of visible size"] == "goes (known-host)"
    shown = json.loads(run("trackers", "show", "--json", "--config", str(config)).stdout)
    assert shown["version"]
    assert {"kind": "opens", "name": "ours", "facts": 1, "source": "our own mail", "licence": "own"} in shown["groups"]
    assert "1 files of your own" in run("trackers", "show", "--config", str(config)).stdout


def test_what_is_no_web_address_is_told(config: Path) -> None:
    result = run("trackers", "check", "cid:logo", "--config", str(config))
    assert result.exit_code == 2
    assert "expected https://" in result.stderr
