"""`briefgeheim purge`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gateway.audit.reading import AuditReader
from gateway.spool.schema import writing
from tests.audit.shards import Shard, row
from tests.cli.example import ready, run

YEAR = 366 * 86400.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return ready(tmp_path)


def shard(config: Path) -> Path:
    made = Shard(config.parent / "state" / "spool")
    old = row(time.time() - 3 * YEAR, organisation="alpha")
    made.write(old, row(time.time() - YEAR, organisation="alpha"))
    made.close()
    return made.path


def what(path: Path) -> list[str]:
    return [r.what for r in AuditReader([path]).rows()]


def test_s56_a_dry_run_says_what_would_go_and_the_real_one_does_it(config: Path) -> None:
    path = shard(config)
    dry = run("purge", "--dry-run", "--config", str(config))
    assert dry.exit_code == 0, dry.output
    assert "alpha  audit       1 would go" in dry.stdout
    assert what(path) == ["delivered", "delivered"]
    ran = [json.loads(line) for line in run("purge", "--json", "--config", str(config)).stdout.splitlines()]
    assert [(i["organisation"], i["class"], i["count"]) for i in ran if i["count"]] == [("alpha", "audit", 1)]
    assert what(path) == ["delivered", "purged"]
    assert "purged: 20" in run("status", "--config", str(config)).stdout


def test_s56_it_works_while_a_gateway_owns_the_shard(config: Path) -> None:
    path = shard(config)
    owner = writing(path)
    try:
        assert run("purge", "--config", str(config)).exit_code == 0
    finally:
        owner.close()
    assert what(path) == ["delivered", "purged"]


def test_a_registry_in_trouble_ends_it_with_1_and_one_line(config: Path) -> None:
    (config.parent / "state" / "registry" / "alpha.sqlite").unlink()
    ran = run("purge", "--config", str(config))
    assert (ran.exit_code, ran.output.count("\n")) == (1, 1)


def test_missing_keys_are_named(config: Path) -> None:
    (config.parent / "state" / "credentials" / "alpha.cases").unlink()
    ran = run("purge", "--config", str(config))
    assert (ran.exit_code, "alpha.cases" in ran.output) == (2, True)
