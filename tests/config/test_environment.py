"""What comes from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.environment import credentials_folder


def test_the_credentials_folder_is_systemds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert credentials_folder() == Path("/run/credentials/x")


@pytest.mark.parametrize("value", [None, ""])
def test_without_systemd_there_is_none(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    if value is not None:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", value)
    assert credentials_folder() is None
