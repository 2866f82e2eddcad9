"""What all registry commands share: who does it and why, and errors of one line."""

from __future__ import annotations

import pytest

from gateway.cli.registry_house import when


@pytest.mark.parametrize(
    ("operator", "reason", "error"),
    [
        (" ", "x", "needs --operator"),
        ("jan", "", "needs --operator"),
        ("j@b.nl", "x", "no mail addresses"),
        ("jan", "a@b.nl", "no mail"),
    ],
)
def test_an_operator_and_a_reason_without_addresses_are_needed(made, operator, reason, error):
    result = made("show", "--to", "a@example.nl", "--operator", operator, "--reason", reason)
    assert (result.exit_code, error in result.stderr) == (2, True)


def test_a_registry_that_cannot_be_used_is_exit_1_with_one_line(made, config):
    (config.parents[1] / "state" / "registry" / "kleine-parel.sqlite").write_bytes(b"")
    result = made("returns")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


def test_missing_keys_are_exit_2(made, config):
    (config.parents[1] / "state" / "credentials" / "kleine-parel.pseudonym").unlink()
    assert made("returns").exit_code == 2


def test_times_are_shown_in_utc():
    assert when(1_706_655_600) == "2024-01-30T23:00:00Z"
