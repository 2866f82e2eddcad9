"""`briefgeheim audit` on shards on a disk."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import Result

from gateway.audit.files import record
from tests.audit.shards import ANNA, Shard, row
from tests.cli.example import ready, run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return ready(tmp_path)


@pytest.fixture
def shard(config: Path) -> Path:
    made = Shard(config.parent / "state" / "spool")
    made.write(
        row(1, "m1", rule="x"), row(100_000, "m2", what="failed"), row(200_000, "m1", what="released", tried=[1])
    )
    made.close()
    return made.path


def audit(config: Path, *words: str) -> Result:
    return run("audit", *words, "--config", str(config))


def spoil(path: Path, change: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(change)
    connection.commit()
    connection.close()


def test_l07_an_audit_that_nobody_touched_is_whole(config: Path, shard: Path) -> None:
    ran = audit(config, "verify")
    assert (ran.exit_code, ran.stdout.splitlines()[0]) == (0, "shard-0: whole; rows 1 to 3, 0 of them purged or erased")
    assert "no checkpoint" in ran.stdout


def test_l07_a_changed_row_ends_the_command_with_1_and_names_the_row(config: Path, shard: Path) -> None:
    spoil(shard, "UPDATE audit SET payload = replace(payload, 'failed', 'sent') WHERE number = 2")
    ran = audit(config, "verify")
    assert ran.exit_code == 1
    assert "row 2: the content is not what was committed to" in ran.stdout
    found = json.loads(audit(config, "verify", "--json").stdout)
    assert (found["whole"], found["problems"][0]["row"]) == (False, 2)


def test_l07_a_checkpoint_kept_elsewhere_shows_what_was_cut_off_here(config: Path, shard: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    assert audit(config, "checkpoint", "--out", str(kept)).stdout.startswith("shard-0: row 3, signed ")
    assert audit(config, "verify", "--against", str(kept)).exit_code == 0
    spoil(shard, "DELETE FROM audit WHERE number = 3")
    shard.with_suffix(".checkpoints").unlink()
    assert audit(config, "verify").exit_code == 0, "nothing here shows it any more"
    ran = audit(config, "verify", "--against", str(kept))
    assert (ran.exit_code, "rows 3 to 3 are cut off at the end" in ran.stdout) == (1, True)
    shard.unlink()
    ran = audit(config, "verify", "--against", str(kept))
    assert (ran.exit_code, "rows 1 to 3 are cut off at the end" in ran.stdout) == (1, True)


def test_a_shard_of_which_only_checkpoints_are_left_is_missed(config: Path, shard: Path, tmp_path: Path) -> None:
    audit(config, "checkpoint", "--out", str(tmp_path / "kept.jsonl"))
    shard.unlink()
    ran = audit(config, "verify")
    assert (ran.exit_code, "rows 1 to 3 are cut off" in ran.stdout) == (1, True)


def test_checkpoints_are_appended_and_the_same_end_is_signed_once(config: Path, shard: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    for _ in range(2):
        audit(config, "checkpoint", "--out", str(kept))
    record(shard, [row(300_000, "m3")])
    audit(config, "checkpoint", "--out", str(kept))
    assert [json.loads(line)["number"] for line in kept.read_text().splitlines()] == [3, 3, 4]
    assert len(shard.with_suffix(".checkpoints").read_text().splitlines()) == 2
    since = audit(config, "verify", "--since", "2100-01-01")
    assert "rows 5 to 4" in since.stdout, "all of it is older than the newest checkpoint"


def test_l07_another_key_proves_nothing(config: Path, shard: Path, tmp_path: Path) -> None:
    audit(config, "checkpoint", "--out", str(tmp_path / "kept.jsonl"))
    key = config.parent / "state" / "credentials" / "audit.key"
    key.unlink()
    assert audit(config, "verify").exit_code == 2
    run("keys", "init", "--config", str(config))
    ran = audit(config, "verify")
    assert (ran.exit_code, "not signed by a key of this gateway" in ran.stdout) == (1, True)


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        ((), ["m1", "m2", "m1"]),
        (("--message", "m1"), ["m1", "m1"]),
        (("--class", "bounces"), ["m2"]),
        (("--class", "acts"), ["m1"]),
        (("--what", "delivered"), ["m1"]),
        (("--since", "1970-01-02"), ["m2", "m1"]),
        (("--since", "1970-01-02", "--message", "m1"), ["m1"]),
        (("--limit", "1"), ["m1"]),
    ],
)
def test_rows_are_shown_by_message_class_kind_and_time(
    config: Path, shard: Path, words: tuple[str, ...], messages: list[str]
) -> None:
    ran = audit(config, "show", *words, "--json")
    assert [json.loads(line)["message"] for line in ran.stdout.splitlines()] == messages


def test_i7_pseudonyms_are_shown_shortened(config: Path, shard: Path) -> None:
    ran = audit(config, "show")
    assert "person 616161616161" in ran.stdout
    assert ANNA.hex() not in ran.stdout
    assert "tried" not in ran.stdout


def test_what_is_no_moment_or_no_checkpoint_is_said(config: Path, shard: Path, tmp_path: Path) -> None:
    assert "ISO 8601" in audit(config, "show", "--since", "yesterday").output
    (tmp_path / "kept").write_text("nothing\n")
    ran = audit(config, "verify", "--against", str(tmp_path / "kept"))
    assert (ran.exit_code, "line 1" in ran.output) == (2, True)


def test_a_file_that_is_no_database_is_said_in_one_line(config: Path, shard: Path) -> None:
    shard.write_bytes(b"nothing " * 500)
    ran = audit(config, "verify")
    assert (ran.exit_code, ran.output.count("\n")) == (1, 1)
