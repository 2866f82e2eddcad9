"""Options of `briefgeheim serve`; what it serves is tested end to end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.cli import serve
from tests.cli.example import run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str]]]:
    calls: list[tuple[Path, list[str]]] = []

    def started(path: Path, parts: Sequence[str]) -> int:
        calls.append((path, list(parts)))
        return 3

    monkeypatch.setattr(serve, "serve", started)
    return calls


@pytest.mark.parametrize(
    ("words", "parts"), [([], ["mail", "web"]), (["--only", "mail"], ["mail"]), (["--only", "web"], ["web"])]
)
def test_both_parts_run_unless_one_is_named(
    words: list[str], parts: list[str], served: list[tuple[Path, list[str]]]
) -> None:
    run("serve", *words)
    assert served == [(Path("/etc/briefgeheim/gateway.yaml"), parts)]


def test_the_code_of_the_gateway_is_the_code_of_the_command(served: list[tuple[Path, list[str]]]) -> None:
    assert run("serve", "--config", "x.yaml").exit_code == 3
    assert served[0][0] == Path("x.yaml")


def test_an_unknown_part_is_a_usage_error(served: list[tuple[Path, list[str]]]) -> None:
    result = run("serve", "--only", "mial")
    assert result.exit_code == 2
    assert served == []
