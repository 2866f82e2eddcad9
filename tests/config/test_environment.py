"""What comes from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.config.environment import (
    child_environment,
    credentials_folder,
    notify_socket,
    systemd_sockets,
    watchdog_seconds,
)


def test_the_credentials_folder_is_systemds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert credentials_folder() == Path("/run/credentials/x")


@pytest.mark.parametrize("value", [None, ""])
def test_without_systemd_there_is_none(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    if value is not None:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", value)
    assert credentials_folder() is None


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "2")
    monkeypatch.setenv("LISTEN_FDNAMES", "relay:submission")


@pytest.mark.usefixtures("handed_over")
def test_sockets_are_known_by_name_from_descriptor_3_on() -> None:
    assert systemd_sockets() == {"relay": 3, "submission": 4}


@pytest.mark.usefixtures("handed_over")
def test_sockets_meant_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert systemd_sockets() == {}


@pytest.mark.usefixtures("handed_over")
def test_more_names_than_sockets_give_no_more_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDNAMES", "relay:submission:third")
    assert systemd_sockets() == {"relay": 3, "submission": 4}


@pytest.mark.parametrize(("microseconds", "seconds"), [(None, 0), ("60000000", 30)])
def test_signs_of_life_come_twice_per_interval(
    microseconds: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    if microseconds is not None:
        monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    assert watchdog_seconds() == seconds


def test_the_notify_socket_is_systemds_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify_socket() == ""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    assert notify_socket() == "/run/systemd/notify"


@pytest.mark.usefixtures("handed_over")
def test_a_child_hears_nothing_of_systemd_and_counts_in_the_shared_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "1")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    child = child_environment(Path("/var/lib/x/metrics"))
    assert [name for name in child if name.startswith(("LISTEN_", "NOTIFY_", "WATCHDOG_"))] == []
    assert child["PROMETHEUS_MULTIPROC_DIR"] == "/var/lib/x/metrics"
    assert child["CREDENTIALS_DIRECTORY"] == "/run/credentials/x", "a child reads its own keys"
