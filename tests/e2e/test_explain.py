"""`explain` tells of a mail that was never sent what would happen to it, and is right (I-11)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage, StageError
from tests.e2e.post import (
    PAREL,
    REZULTO,
    arrived,
    consent,
    header,
    mail,
    one_click,
    opt_out_url,
    person,
    readable,
    send,
    settled,
    texts,
    verifies,
)
from tests.stages import MakeStage

NEWSLETTER = {"stream": "newsletter", "list": "lestips", "basis": "consent"}
HTML = (
    '<p>Nieuw: <a href="https://rezulto.nl/a?utm_source=n&amp;b=1">lees</a></p>'
    '<img src="https://t.example/open?id=9f8e7d6c5b4a39281706" width="1" height="1">'
)
AS_NEWS = ("--mark", "Stream=newsletter", "--mark", "List=lestips", "--mark", "Basis=consent")


def stored(folder: Path, *contents: bytes) -> list[str]:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(contents):
        (folder / f"mail{number}.eml").write_bytes(content)
    return [str(folder / f"mail{n}.eml") for n in range(len(contents))]


def accounts(stage: Stage, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stage.command("explain", *arguments, "--json").splitlines()]


def newsletter(*people: str) -> bytes:
    message = mail(REZULTO, people, html=HTML, **NEWSLETTER)
    message["Disposition-Notification-To"] = REZULTO
    return message.as_bytes()


def test_i11_text_names_decision_rules_edits_variant_and_provider(shared: Stage, tmp_path: Path) -> None:
    agreed, not_agreed = person(), person()
    shared.people("rezulto", [consent(agreed, "list:lestips")])
    files = stored(tmp_path / "in", newsletter(agreed, not_agreed))
    shown = shared.command("explain", *files, "--client", "rezulto-crm")
    assert f"{agreed}: DELIVER by list-consent: consent list:2" in shown
    assert f"{not_agreed}: REFUSE by list-consent: consent list:2 missing" in shown
    assert "reply 550 5.7.1" in shown
    assert "-> list-consent" in shown
    assert "   opt-out: none in force" in shown
    assert "receipts/read-receipt: header, octets " in shown
    assert "trackers/pixel: part 1.2, octets " in shown
    assert "the opt-out of each" in shown
    assert "variant nl/untracked" in shown
    assert "provider bulk" in shown


def test_i11_the_account_equals_what_happens_when_the_mail_is_sent(shared: Stage, tmp_path: Path) -> None:
    agreed, tracked, refused = person(), person(), person()
    rows = [consent(agreed, "list:lestips"), consent(tracked, "list:lestips"), consent(tracked, "purpose:tracking")]
    shared.people("rezulto", rows)
    people = [agreed, tracked, refused]
    raw = newsletter(*people)
    (account,) = accounts(shared, *stored(tmp_path / "in", raw), "--client", "rezulto-crm")
    assert send(shared, "rezulto-crm", raw.replace(b"\n", b"\r\n"), people, sender=REZULTO).code == 250
    copies = {c.recipient for c in arrived(shared, [agreed, tracked])}
    settled(shared)
    foretold = {p["recipient"]: p for p in account["recipients"]}
    assert {who for who, p in foretold.items() if p["action"] == "deliver"} == copies
    for who in people:
        first, *later = traced(shared, who)
        said = foretold[who]
        assert (first["rule"], first["fact"], first["variant"]) == (said["rule"], said["fact"], said["variant"])
        assert first["tried"] == [[t["rule"], t["decided"], t["fact"]] for t in said["rules_tried"]]
        assert first["what"] == {"deliver": "accepted", "refuse": "refused"}[said["action"]]
        assert first["provider"] == said["provider"]
        (edited,) = [row for row in later if row["what"] == "edited"]
        assert edited["edits"] == {name: edits(v) for name, v in account["variants"].items()}
        assert [row["what"] for row in later if row["what"] != "edited"] == ["delivered"] * (who in copies)


def edits(variant: dict[str, Any]) -> list[list[Any]]:
    """As the audit writes them; its part of the header is the empty one."""
    part = {"header": ""}
    return [
        [e["filter"], e["kind"], part.get(e["part"], e["part"]), e["start"], e["end"]] for e in variant["edits"]
    ]  # fmt: skip


def traced(stage: Stage, who: str) -> list[dict[str, Any]]:
    shown = stage.command(
        "trace", "--to", who, "--operator", "test", "--reason", "comparing", "--organisation", "rezulto", "--json"
    )
    return [json.loads(line) for line in shown.splitlines()]


def test_i11_a_refusal_and_a_hold_are_told_with_the_reply_a_client_would_hear(shared: Stage, tmp_path: Path) -> None:
    people = [person(), person()]
    leak = mail("wil@dekleineparel.nl", people, text=f"Vraag het {people[0]} of {people[1]}.\n").as_bytes()
    files = stored(tmp_path / "in", leak, mail("x@elders.example", people[:1]).as_bytes())
    stopped, foreign = accounts(shared, *files, "--client", "kleine-parel-office")
    heard = send(shared, "kleine-parel-office", leak.replace(b"\n", b"\r\n"), people, sender=PAREL)
    assert {p["reply"] for p in stopped["recipients"]} == {f"{heard.code} {heard.reply}"}
    assert foreign["refused"].startswith("550 5.7.1")
    assert foreign["recipients"] == []


def test_many_mails_and_folders_in_one_call(shared: Stage, tmp_path: Path) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips")])
    stored(tmp_path / "one", *[newsletter(who) for _ in range(3)])
    (alone,) = stored(tmp_path / "two", newsletter(who))
    (tmp_path / "one" / "read.me").write_text("not a mail")
    found = accounts(shared, str(tmp_path / "one"), alone, "--client", "rezulto-crm")
    assert [Path(a["input"]).parent.name for a in found] == ["one", "one", "one", "two"]
    shown = shared.command("explain", str(tmp_path / "one"), alone, "--client", "rezulto-crm")
    assert shown.endswith("4 mails: 4 would leave\n")


def test_stored_mails_are_read_as_a_client_would_send_them(shared: Stage, tmp_path: Path) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips")])
    unix = newsletter(who)
    files = stored(
        tmp_path / "in", unix, unix.replace(b"\n", b"\r\n"), b"From x Mon Jan  1\n" + unix, unix.rstrip(b"\n")
    )
    found = accounts(shared, *files, "--client", "rezulto-crm")
    assert [a["recipients"][0]["action"] for a in found] == ["deliver"] * 4
    smuggling = stored(tmp_path / "bare", unix.replace(b"\n", b"\r\n") + b"een\ntwee\r\n")
    (refused,) = accounts(shared, *smuggling, "--client", "rezulto-crm")
    assert refused["refused"].startswith("550 5.5.2")


def test_diff_shows_before_and_after_once_per_variant(shared: Stage, tmp_path: Path) -> None:
    people = [person(), person(), person()]
    tracking = consent(people[2], "purpose:tracking")
    shared.people("rezulto", [*(consent(p, "list:lestips") for p in people), tracking])
    files = stored(tmp_path / "in", newsletter(*people))
    shown = shared.command("explain", *files, "--client", "rezulto-crm", "--diff").splitlines()
    assert [line for line in shown if line.startswith("+++")] == [
        f"+++ as it leaves to {people[0]}",
        f"+++ as it leaves to {people[2]}",
    ]
    assert "-Briefgeheim-Stream: newsletter" in shown
    assert f"-Disposition-Notification-To: {REZULTO}" in shown
    assert f"+To: {people[0]}" in shown
    assert any(line.startswith("+List-Unsubscribe: <") for line in shown)
    (account,) = accounts(shared, *files, "--client", "rezulto-crm", "--diff")
    assert set(account["diff"]) == {people[0], people[2]}


def test_out_writes_finished_copies_that_verify_with_the_records_beside_them(shared: Stage, tmp_path: Path) -> None:
    people = [person(), person()]
    gone = person()
    shared.people("rezulto", [consent(p, "list:lestips") for p in people])
    files = stored(tmp_path / "in", newsletter(*people, gone))
    shown = shared.command("explain", *files, "--client", "rezulto-crm", "--out", str(tmp_path / "out"))
    assert "1 mail: 2 would leave, 1 refused; 2 copies in" in shown
    index = json.loads((tmp_path / "out" / "copies.json").read_text("utf-8"))
    records = {name.encode(): value.encode() for name, value in index["dkim"].items()}
    assert [(c["recipient"], c["action"]) for c in index["copies"]] == [
        (people[0], "deliver"), (people[1], "deliver"), (gone, "refuse")
    ]  # fmt: skip
    assert index["copies"][2]["file"] is None
    assert "consent list:2 missing" in index["copies"][2]["reply"]
    for row, other in zip(index["copies"], reversed(people), strict=False):
        content = (tmp_path / "out" / row["file"]).read_bytes()
        assert row["input"] == files[0]
        assert header(content, "To") == [row["recipient"]]
        assert other.encode() not in readable(content)
        assert verifies(content, records)
        assert one_click(opt_out_url(content)) == 200  # the link is the real thing
    again = accounts(shared, *files, "--client", "rezulto-crm")
    assert {p["rule"] for p in again[0]["recipients"]} == {"opt-out", "list-consent"}


def test_assume_consent_answers_for_this_stream_alone_and_blocks_still_count(shared: Stage, tmp_path: Path) -> None:
    stranger, stopped = person(), person()
    shared.people("rezulto", [{"address": stopped, "kind": "opt-out", "scope": "marketing"}])
    files = stored(tmp_path / "in", newsletter(stranger, stopped))
    (real,) = accounts(shared, *files, "--client", "rezulto-crm")
    (assumed,) = accounts(shared, *files, "--client", "rezulto-crm", "--assume-consent")
    assert [p["action"] for p in real["recipients"]] == ["refuse", "refuse"]
    assert [p["action"] for p in assumed["recipients"]] == ["deliver", "refuse"]
    assert assumed["recipients"][0]["variant"] == "nl/untracked"  # tracking is another question


@pytest.mark.parametrize(
    "marks",
    [
        {"stream": "notification", "offer": "similar trainingen", "basis": "soft_opt_in"},
        {"stream": "notification", "offer": "similar trainingen", "basis": "consent"},
        {"stream": "research", "basis": "consent"},
        {"stream": "research", "basis": "consent", "identified": "yes"},
        {"stream": "newsletter", "list": "lestips", "basis": "consent", "segment": "groep-5"},
    ],
)
def test_assume_consent_covers_whatever_the_stream_asks_for(
    shared: Stage, tmp_path: Path, marks: dict[str, str]
) -> None:
    files = stored(tmp_path / "in", mail(REZULTO, [person()], **marks).as_bytes())
    (account,) = accounts(shared, *files, "--client", "rezulto-crm", "--assume-consent")
    assert account["recipients"][0]["action"] == "deliver", account["recipients"][0]["fact"]


def test_marks_and_senders_that_the_mail_lacks_can_be_given(shared: Stage, tmp_path: Path) -> None:
    who = person()
    files = stored(tmp_path / "in", mail("nieuws@uitgever.example", [who], html=HTML).as_bytes())
    client = ("--client", "rezulto-crm", "--assume-consent")
    assert "--any-sender" in shared.command("explain", *files, *client, *AS_NEWS)
    out = tmp_path / "out"
    shared.command("explain", *files, *client, *AS_NEWS, "--any-sender", "--out", str(out))
    index = json.loads((out / "copies.json").read_text("utf-8"))
    (row,) = index["copies"]
    content = (out / row["file"]).read_bytes()
    # As if the domain were the organisation's: signed for it, and therefore with the one-click field.
    assert verifies(content, {name.encode(): value.encode() for name, value in index["dkim"].items()})
    assert "d=uitgever.example;" in header(content, "DKIM-Signature")[0]
    assert header(content, "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert "utm_source" not in texts(content)["text/html"]
    assert b"Briefgeheim-" not in content


def test_envelope_options_take_the_place_of_the_header(shared: Stage, tmp_path: Path) -> None:
    shown, other = person(), person()
    files = stored(tmp_path / "in", mail(PAREL, [shown]).as_bytes())
    (account,) = accounts(shared, *files, "--client", "kleine-parel-office", "--to", other, "--from", "<>")
    assert [p["recipient"] for p in account["recipients"]] == [other]
    (account,) = accounts(shared, *files, "--client", "kleine-parel-office", "--from", "x@elders.example")
    assert "MAIL FROM" in account["refused"]


def test_nothing_is_stored_and_nothing_is_sent(make_stage: MakeStage, tmp_path: Path) -> None:
    stage, who = make_stage(), person()
    stage.people("rezulto", [consent(who, "list:lestips")])
    stage.start()
    content = newsletter(who).replace(b"\n", b"\r\n")
    assert send(stage, "rezulto-crm", content, [who]).code == 250
    assert len(arrived(stage, [who])) == 1
    assert stage.stop() == 0  # a running gateway writes by itself now and then
    files = stored(tmp_path / "in", newsletter(who))
    before = fingerprint(stage.state)
    for options in (["--json"], ["--diff"], ["--out", str(tmp_path / "out")], ["--assume-consent"]):
        stage.command("explain", *files, "--client", "rezulto-crm", *options)
    assert fingerprint(stage.state) == before
    assert len(stage.recorder.mails) == 1


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file by its content, but for the counters of processes, and what readers of a database share."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "metrics" not in p.parts and not p.name.endswith("-shm")
        if p.stat().st_size or not p.name.endswith("-wal")
    }


def test_it_works_before_anything_was_made_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(tmp_path / "fresh", run)
    try:
        (stage.folder / "config" / "organisations").mkdir(parents=True)
        config = Path(__file__).parents[2] / "config"
        (stage.folder / "config" / "trackers.yaml").write_bytes((config / "trackers.yaml").read_bytes())
        stage.write_settings()
        (file,) = stored(tmp_path / "in", newsletter(person()))
        arguments = ["explain", file, "--client", "rezulto-crm", "--assume-consent", "--out", str(tmp_path / "out")]
        assert run([*arguments, "--config", str(stage.config)]) == 0
        said = capsys.readouterr()
        assert "note: keys made up for this run" in said.err
        assert "note: no registry of rezulto" in said.err
        assert not stage.state.exists()
    finally:
        stage.close()
    index = json.loads((tmp_path / "out" / "copies.json").read_text("utf-8"))
    content = (tmp_path / "out" / index["copies"][0]["file"]).read_bytes()
    assert verifies(content, {name.encode(): value.encode() for name, value in index["dkim"].items()})
    assert len(index["notes"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--client", "nobody"], "expected one of kleine-parel-crm"),
        (["--client", "rezulto-crm", "--mark", "newsletter"], "expected NAME=VALUE"),
        (["--client", "rezulto-crm", "--to", "jan"], "expected an address such as"),
        (["--client", "rezulto-crm", "EMPTY"], "no *.eml file in this folder"),
    ],
)
def test_wrong_use_is_told_in_one_line(shared: Stage, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "empty").mkdir()
    files = stored(tmp_path / "in", newsletter(person()))
    given = [str(tmp_path / "empty") if a == "EMPTY" else a for a in arguments]
    with pytest.raises(StageError) as error:
        shared.command("explain", *files, *given)
    assert "exit 2" in str(error.value)
    assert said in str(error.value)
    assert "Traceback" not in str(error.value)
