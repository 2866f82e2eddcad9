"""One gateway process per test worker, shared by the tests that do not stop or alter it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.cli import run
from gateway.demo.stage import Change, Stage
from tests.e2e.altered import Altered, altered_gateway

MakeStage = Callable[..., Stage]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A running gateway. Use addresses of your own: other tests share it."""
    stage = Stage(tmp_path_factory.mktemp("gateway"), run)
    stage.build()
    stage.start()
    yield stage
    stage.close()


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    """Gateways of a test's own, built but not started; ended with the test."""
    made: list[Stage] = []

    def make(gateway: Change | None = None, organisation: Change | None = None, workers: int = 1) -> Stage:
        folder = tmp_path / f"gateway-{len(made)}"
        folder.mkdir()
        stage = Stage(folder, run, workers=workers, gateway_change=gateway, organisation_change=organisation)
        made.append(stage)
        stage.build()
        return stage

    yield make
    for stage in made:
        stage.close()


@pytest.fixture(scope="session")
def altered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Altered]:
    """A running gateway with other settings, see `altered.py`. Use addresses of your own."""
    with altered_gateway(tmp_path_factory.mktemp("altered")) as found:
        yield found
