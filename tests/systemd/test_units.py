"""The units: valid for systemd, closely sandboxed, and every restriction says why."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

from gateway.cli import app

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ("briefgeheim-mail.service", "briefgeheim-web.service")
BACKUP = "briefgeheim-backup.service"
MOST_EXPOSED = 2.0


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        # The program is installed later; verify only wants an executable that exists.
        text = re.sub(r"ExecStart=\S+", "ExecStart=/usr/bin/env", unit.read_text("utf-8"))
        (tmp_path / unit.name).write_text(text, "utf-8")
    found = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / s) for s in (*SERVICES, BACKUP, "briefgeheim-backup.timer"))],
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("service", [*SERVICES, BACKUP])
def test_a_unit_is_hardly_exposed(service: str) -> None:
    found = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(UNITS / service)],
        capture_output=True,
        text=True,
    )
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", found.stdout)
    assert exposure is not None, found.stdout + found.stderr
    assert float(exposure[1]) <= MOST_EXPOSED


def test_mail_and_page_run_as_different_users_and_share_no_key() -> None:
    mail, web = ((UNITS / s).read_text("utf-8") for s in SERVICES)
    assert re.search(r"^User=(.*)$", mail, re.M)[1] != re.search(r"^User=(.*)$", web, re.M)[1]
    handed = re.findall(r"^LoadCredential=([^:]+)", web, re.M)
    assert handed
    assert all(name.endswith(".token") for name in handed)


@pytest.mark.parametrize("service", SERVICES)
def test_wrong_settings_are_not_tried_again(service: str) -> None:
    text = (UNITS / service).read_text("utf-8")
    assert "Type=notify" in text
    assert "WatchdogSec=" in text
    assert "RestartPreventExitStatus=2" in text


def test_the_backup_runs_as_the_gateways_user_reaches_no_network_and_gives_way_to_mail() -> None:
    mail, backup = ((UNITS / s).read_text("utf-8") for s in (SERVICES[0], BACKUP))
    assert re.search(r"^User=(.*)$", mail, re.M)[1] == re.search(r"^User=(.*)$", backup, re.M)[1]
    assert "PrivateNetwork=yes" in backup
    assert "IOSchedulingClass=idle" in backup
    assert re.search(r"^UMask=0077$", backup, re.M)


def test_the_backup_command_of_the_unit_is_one_that_there_is() -> None:
    line = re.search(r"^ExecStart=\S+ (.*)$", (UNITS / BACKUP).read_text("utf-8"), re.M)
    assert line is not None
    words = [w for w in line[1].split() if w.startswith("--")]
    known = {o for parameter in typer.main.get_command(app).commands["backup"].params for o in parameter.opts}  # type: ignore[attr-defined]
    assert set(words) <= known


def test_an_inspector_that_is_killed_for_memory_does_not_end_the_service() -> None:
    assert re.search(r"^OOMPolicy=continue$", (UNITS / SERVICES[0]).read_text("utf-8"), re.M)


def _system_calls(groups: dict[str, list[str]], name: str) -> set[str]:
    return {call for entry in groups[name] for call in (_system_calls(groups, entry) if entry[0] == "@" else {entry})}


@pytest.mark.needs("systemd-analyze")
def test_the_filter_of_system_calls_lets_the_inspector_confine_itself_and_children_be_watched() -> None:
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True).stdout
    groups: dict[str, list[str]] = {}
    for line in listed.splitlines():
        if line.startswith("@"):
            calls = groups.setdefault(line.strip(), [])
        elif line.startswith("  ") and not line.strip().startswith("#"):
            calls.append(line.strip())
    unit = (UNITS / SERVICES[0]).read_text("utf-8")
    allowed: set[str] = set()
    for taken, names in re.findall(r"^SystemCallFilter=(~?)(.*)$", unit, re.M):
        for name in names.split():
            allowed = allowed - _system_calls(groups, name) if taken else allowed | _system_calls(groups, name)
    # Python's setrlimit is prlimit64 to the kernel; the limits are set with the name of what is called.
    assert {"prlimit64", "prctl", "waitid"} <= allowed
    assert {"pidfd_open", "pidfd_send_signal"} <= allowed  # how the parent watches children of the nursery
    assert "setrlimit" not in allowed
