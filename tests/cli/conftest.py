"""The shipped settings with keys and state of their own, and their registry's commands."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.registry import app

ROOT = Path(__file__).parents[2]
NAMED = ["--operator", "jan", "--reason", "asked by phone"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    credentials = tmp_path / "state" / "credentials"
    credentials.mkdir(parents=True)
    for name in ("kleine-parel", "rezulto"):
        file = credentials / f"{name}.pseudonym"
        file.write_bytes(base64.b64encode(name.encode().ljust(32, b"k")) + b"\n")
        file.chmod(0o600)
    return tmp_path / "config" / "gateway.yaml"


@pytest.fixture
def run(config):
    def command(*words: str, organisation: str = "kleine-parel") -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(config), "--organisation", organisation])

    return command


@pytest.fixture
def made(run):
    assert run("init").exit_code == 0
    return run


@pytest.fixture
def shown(made) -> Callable[..., dict]:
    """What `registry show` says of an address."""

    def show(address: str, *words: str) -> dict:
        result = made("show", "--to", address, *NAMED, "--json", *words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return show
