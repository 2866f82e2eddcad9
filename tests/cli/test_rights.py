"""`briefgeheim rights …` against the shipped settings, with keys and state of its own, and no gateway running."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli import run as briefgeheim

ROOT = Path(__file__).parents[2]
ANNA = "anna.zonderling@people.example"
JAN = ("--operator", "jan")
Capture = pytest.CaptureFixture[str]


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings, keys and empty registries: made once, and copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(ROOT / "config", folder / "config")
    config = ["--config", str(folder / "config" / "gateway.yaml")]
    assert briefgeheim(["keys", "init", *config]) == 0
    for name in ("kleine-parel", "rezulto"):
        assert briefgeheim(["registry", "init", "--organisation", name, *config]) == 0
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path, capsys: Capture) -> Run:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    config = str(tmp_path / "config" / "gateway.yaml")

    def command(*words: str, organisation: str = "kleine-parel", code: int | None = 0, group: str = "rights") -> Ran:
        found = briefgeheim([group, *words, "--organisation", organisation, "--config", config])
        said = capsys.readouterr()
        assert code is None or found == code, said.err
        return Ran(found, said.out, said.err)

    return command


def opened(run: Run, kind: str = "erasure", *more: str) -> str:
    return run("open", "--kind", kind, "--to", ANNA, *JAN, *more).out


def day(ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


def test_i7_no_command_shows_an_address_but_show_reveal(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Groeten, Anna Zonderling", "utf-8")
    said = opened(run, "erasure", "--name", "Anna Zonderling", "--text-file", str(text))
    said += run("list").out + run("list", "--json").out
    look = ("show", "1", *JAN, "--reason", "dossier")
    said += run(*look).out + run(*look, "--json").out
    said += run("note", "1", *JAN, "--text-file", str(text)).out
    said += run("complete", "1", *JAN).out
    said += run("close", "1", *JAN, "--by", "letter").out
    assert "onderling" not in said
    assert "@" not in said


def test_s40_revealing_shows_everything_and_is_recorded(run: Run, tmp_path: Path) -> None:
    opened(run, "access", "--name", "Anna")
    shown = run("show", "1", *JAN, "--reason", "belt terug", "--reveal", "--json").json
    assert (shown["address"], shown["name"], shown["standing"]) == (ANNA, "Anna", "in time")
    db = sqlite3.connect(tmp_path / "state" / "registry" / "kleine-parel.sqlite")
    assert ("jan", "belt terug", "rights show --reveal") in db.execute(
        "SELECT operator, reason, what FROM acts"
    ).fetchall()
    db.close()
    assert run("show", "1", *JAN, "--reason", " ", "--reveal", code=2).out == ""


def test_s31_erasing_by_hand_from_open_to_register(run: Run) -> None:
    assert "case 1: erasure, open, answer by" in opened(run)
    blocked = run("show", "--to", ANNA, *JAN, "--reason", "check", "--json", group="registry").json
    assert any("restriction" in block for block in blocked["facts"]["blocks"])
    done = run("complete", "1", *JAN).out
    assert "still to do elsewhere:" in done
    assert "[ ] kleine-parel-crm" in done
    assert "answered" in run("close", "1", *JAN, "--by", "letter").out
    assert run("list").out == "none\n"
    assert "  erasure        granted     at most 7 days" in run("register").out
    row = run("register", "--json").json
    assert (row["number"], row["received"], row["closed"], row["channel"]) == (None, None, None, None)
    assert "no case 1" in run("show", "1", *JAN, "--reason", "x", code=1).err


def test_s34_the_list_has_overdue_ones_first(run: Run) -> None:
    opened(run, "question")
    opened(run, "tip", "--received", day(40))
    opened(run, "complaint", "--received", day(27))
    lines = run("list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "3", "1"]
    assert ["overdue" in lines[0], "due soon" in lines[1], "in time" in lines[2]] == [True] * 3
    first = json.loads(run("list", "--json").out.splitlines()[0])
    assert (first["standing"], first["kind"], first["received"]) == ("overdue", "tip", day(40))


def test_s66_the_day_of_receipt_counts_and_the_future_is_refused(run: Run) -> None:
    due = run("due", "--kind", "access", "--received", "2025-01-30", "--json").json
    assert (due["due"], due["month"], due["promised"]) == ("2025-02-28", "2025-02-28", "2025-03-01")
    due = run("due", "--kind", "access", "--received", "2025-01-30", "--json", organisation="rezulto").json
    assert (due["due"], due["rule"], due["extended"]) == ("2025-02-27", "4 weeks (promised)", "2025-04-30")
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    refused = run("open", "--kind", "tip", "--to", ANNA, *JAN, "--received", tomorrow, code=2)
    assert "--received:" in refused.err
    assert "in the future" in refused.err
    assert run("list").out == "none\n"


def test_s57_an_extension_is_told_and_refused_where_nothing_was_left_room_for(run: Run) -> None:
    opened(run, "access")
    assert "no room" in run("extend", "1", *JAN, "--reason", "veel", code=1).err
    run("open", "--kind", "access", "--to", ANNA, *JAN, "--received", day(3), organisation="rezulto")
    before = run("show", "1", *JAN, "--reason", "x", "--json", organisation="rezulto").json
    run("extend", "1", *JAN, "--reason", "veel", organisation="rezulto")
    after = run("show", "1", *JAN, "--reason", "x", "--json", organisation="rezulto").json
    assert after["extended"]
    assert after["due"] > before["due"]
    assert [row["kind"] for row in after["mail"]] == ["receipt", "extension"]


def test_text_comes_from_standard_input_too(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    answer.write_bytes(b"\xef\xbb\xbfOm negen uur.\r\n")
    opened(run, "question")
    with answer.open(encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        said = run("close", "1", *JAN, "--text-file", "-").out
    assert "ends when that mail is delivered" in said


def test_a_reply_on_paper_is_written_for_its_owner_only_and_over_nothing(run: Run, tmp_path: Path) -> None:
    run("open", "--kind", "access", "--name", "Anna", "--channel", "letter", *JAN)
    out = tmp_path / "letter.txt"
    assert run("close", "1", *JAN, "--by", "letter", "--output", str(out), code=1).err
    assert not out.exists(), "not completed yet: nothing is answered, nothing is left behind"
    run("complete", "1", *JAN)
    run("close", "1", *JAN, "--by", "letter", "--output", str(out))
    assert "Autoriteit Persoonsgegevens" in out.read_text("utf-8")
    assert out.stat().st_mode & 0o077 == 0
    run("open", "--kind", "access", "--name", "Bert", "--channel", "letter", *JAN)
    run("complete", "2", *JAN)
    assert "File exists" in run("close", "2", *JAN, "--by", "letter", "--output", str(out), code=2).err
    assert run("list").out != "none\n"


def test_l14_doubt_a_refusal_and_what_was_taken_back(run: Run) -> None:
    assert "pending-identity" in opened(run, "erasure", "--doubt")
    assert "not proven" in run("complete", "1", *JAN, code=1).err
    assert "not the code" in run("verify", "1", "--code", "1234", *JAN, code=1).err
    assert "open" in run("verify", "1", "--how", "antwoordde vanuit het postvak", *JAN).out
    assert "reason" in run("complete", "1", "--refuse", *JAN, code=1).err
    run("withdraw", "1", "--reason", "vergissing", "--by", "phone", *JAN)
    assert "taken-back" in run("register").out
    shown = run("show", "--to", ANNA, *JAN, "--reason", "check", "--json", group="registry").json
    assert not any("restriction" in block for block in shown["facts"].get("blocks", []))


def test_s59_an_objection_needs_its_scope_and_shows_its_legal_date(run: Run) -> None:
    assert "--scope" in run("open", "--kind", "objection", "--to", ANNA, *JAN, code=1, organisation="rezulto").err
    wrong = run("open", "--kind", "objection", "--to", ANNA, "--scope", "list:none", *JAN, code=2)
    assert "--scope:" in wrong.err
    run("open", "--kind", "objection", "--to", ANNA, "--scope", "marketing", *JAN, organisation="rezulto")
    shown = run("show", "1", *JAN, "--reason", "x", "--json", organisation="rezulto").json
    assert (shown["scope"], bool(shown["ceiling"])) == ("marketing", True)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("open", "--kind", "tip", *JAN), 1, "--to or --name"),
        (("open", "--kind", "tip", "--to", "no address", *JAN), 2, "--to:"),
        (("open", "--kind", "tip", "--to", ANNA, "--operator", " "), 2, "--operator:"),
        (("open", "--kind", "tip", "--to", ANNA, "--language", "fr", *JAN), 2, "--language:"),
        (("open", "--kind", "tip", "--to", ANNA, "--text-file", "/no/such/file", *JAN), 2, "No such file"),
        (("open", "--kind", "rectification", "--to", ANNA, *JAN), 1, "--new-to"),
        (("show", "7", "--reason", "x", *JAN), 1, "no case 7"),
        (("told", "1", "ff", "--how", " ", *JAN), 2, "--how:"),
        (("note", "1", "--text-file", "/dev/null", *JAN), 2, "expected a note"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Run, words: tuple[str, ...], code: int, why: str) -> None:
    ran = run(*words, code=code)
    assert why in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert ANNA not in ran.err
    assert ran.out == ""


def test_an_unknown_organisation_is_told_with_those_there_are(run: Run) -> None:
    assert "kleine-parel" in run("list", organisation="nobody", code=2).err


def test_a_missing_key_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state" / "credentials" / "kleine-parel.cases").unlink()
    assert "kleine-parel.cases: missing" in run("list", code=2).err


def test_restriction_needs_its_announcement(run: Run) -> None:
    opened(run, "restriction")
    run("complete", "1", *JAN)
    run("close", "1", *JAN, "--by", "letter")
    assert "announce it" in run("lift", "1", "--reason", "klaar", *JAN, code=1).err
    run("announce", "1", "--reason", "klaar", *JAN)
    run("lift", "1", "--reason", "klaar", "--told", "per brief", *JAN)
    assert run("list").out == "none\n"
    closed = run("list", "--closed", "--json").json
    assert (closed["kind"], closed["standing"]) == ("restriction", "closed")
