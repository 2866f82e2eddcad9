"""Requests of people through the real gateway: blocked at intake, one reply at the end, notices before it."""

from __future__ import annotations

import email
import json
import re
from email import policy

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, arrived, consent, mail, person, send, settled, texts, wait
from tests.stages import MakeStage

ORG = ("--organisation", "kleine-parel")
JAN = ("--operator", "jan")
LIST = "list:nieuwsbrief"
AUTHORITY = "Autoriteit Persoonsgegevens"


def opened(stage: Stage, kind: str, address: str, *more: str) -> str:
    """Enter a request; gives the number of its case."""
    out = stage.command("rights", "open", "--kind", kind, "--to", address, *JAN, *ORG, *more)
    found = re.match(r"case (\d+):", out)
    assert found, out
    return found[1]


def open_numbers(stage: Stage) -> set[str]:
    return {str(json.loads(line)["number"]) for line in stage.command("rights", "list", *ORG, "--json").splitlines()}


def to(stage: Stage, address: str) -> list[bytes]:
    return [m.content for m in stage.recorder.mails if m.recipient == address]


def subject(content: bytes) -> str:
    return str(email.message_from_bytes(content, policy=policy.default)["Subject"])


def newsletter(stage: Stage, address: str) -> int:
    sent = send(stage, "kleine-parel-crm", mail(PAREL, [address], stream="newsletter", list="nieuwsbrief"), [address])
    return sent.code


def test_s31_s33_s36_an_erasure_blocks_at_once_and_ends_with_exactly_one_reply(shared: Stage) -> None:
    anna = person("anna")
    shared.people("kleine-parel", [consent(anna, LIST)])
    assert newsletter(shared, anna) == 250
    arrived(shared, [anna])
    number = opened(shared, "erasure", anna)
    assert newsletter(shared, anna) == 550, "sending is blocked at intake"
    shared.command("rights", "complete", number, *JAN, *ORG)
    assert number in open_numbers(shared), "it stays open until the reply is delivered"
    shared.command("rights", "close", number, *JAN, *ORG)
    arrived(shared, [anna], 2)
    wait(lambda: number not in open_numbers(shared), "the case to end")
    reply = to(shared, anna)[1]
    text = texts(reply)["text/plain"]
    assert AUTHORITY in text
    assert "gewist" in text
    assert newsletter(shared, anna) == 550, "after the closing reply any send is blocked"
    settled(shared)
    assert len(to(shared, anna)) == 2, "the newsletter, and one reply"


def test_s35_after_an_erasure_neither_cases_nor_register_name_anybody(shared: Stage) -> None:
    anna = person("anna")
    number = opened(shared, "erasure", anna, "--name", "Anna Zonderling")
    shared.command("rights", "complete", number, *JAN, *ORG)
    shared.command("rights", "close", number, *JAN, *ORG)
    wait(lambda: number not in open_numbers(shared), "the case to end")
    rows = [json.loads(r) for r in shared.command("rights", "register", *ORG, "--json").splitlines()]
    erased = [row for row in rows if row["kind"] == "erasure"]
    assert erased
    assert all(row["number"] is row["received"] is row["closed"] is None for row in erased)
    shown = shared.command("rights", "show", number, *JAN, "--reason", "check", *ORG, ok=False)
    assert shown == ""


def test_s34_a_question_is_confirmed_and_answered_in_the_language_of_the_person(shared: Stage, tmp_path) -> None:
    bert = person("bert")
    answer = tmp_path / "answer.txt"
    answer.write_text("We open at nine.\n", "utf-8")
    number = opened(shared, "question", bert, "--language", "en")
    arrived(shared, [bert], 1)
    assert subject(to(shared, bert)[0]) == "We received your message"
    shared.command("rights", "close", number, *JAN, *ORG, "--text-file", str(answer))
    arrived(shared, [bert], 2)
    text = texts(to(shared, bert)[1])["text/plain"]
    assert "We open at nine." in text
    assert AUTHORITY in text
    wait(lambda: number not in open_numbers(shared), "the case to end")


def test_l14_an_erasure_in_doubt_is_pending_but_blocks_already(shared: Stage) -> None:
    cato = person("cato")
    shared.people("kleine-parel", [consent(cato, LIST)])
    number = opened(shared, "erasure", cato, "--doubt", "--channel", "phone")
    assert newsletter(shared, cato) == 550
    shared.command("rights", "complete", number, *JAN, *ORG, ok=False)
    assert shared.run(["rights", "complete", number, *JAN, *ORG, "--config", str(shared.config)]) == 1
    arrived(shared, [cato], 1)
    code = re.search(r"^[0-9A-F]{10}(?=\r?$)", texts(to(shared, cato)[0])["text/plain"], re.MULTILINE)
    assert code
    shared.command("rights", "verify", number, "--code", code[0].lower(), *JAN, *ORG)
    shared.command("rights", "complete", number, "--refuse", "--reason", "Niet van u.", *JAN, *ORG)
    assert newsletter(shared, cato) == 250, "a refused erasure takes its block back"
    shared.command("rights", "close", number, *JAN, *ORG)
    arrived(shared, [cato], 3)


def test_s63_a_restriction_is_lifted_only_after_it_was_announced(shared: Stage) -> None:
    dirk = person("dirk")
    shared.people("kleine-parel", [consent(dirk, LIST)])
    number = opened(shared, "restriction", dirk)
    arrived(shared, [dirk], 1)  # the receipt
    shared.command("rights", "complete", number, *JAN, *ORG)
    shared.command("rights", "close", number, *JAN, *ORG)
    arrived(shared, [dirk], 2)
    assert newsletter(shared, dirk) == 550
    lift = ["rights", "lift", number, *JAN, *ORG, "--reason", "klaar", "--config", str(shared.config)]
    assert shared.run(lift) == 1, "not before it is announced"
    wait(lambda: shared.run([*lift[:1], "announce", *lift[2:]]) == 0, "the reply to be settled")
    arrived(shared, [dirk], 3)
    assert newsletter(shared, dirk) == 550, "announced, not lifted yet"
    wait(lambda: shared.run(lift) == 0, "the announcement to be settled")
    assert newsletter(shared, dirk) == 250
    wait(lambda: number not in open_numbers(shared), "the case to end")


def test_s34_s67_open_requests_are_measured(shared: Stage) -> None:
    number = opened(shared, "tip", person("eef"), "--received", "2026-01-05")
    wait(
        lambda: 'rights_overdue{kind="tip",organisation="kleine-parel"} 1.0' in shared.get("observe", "/metrics")[1],
        "1",
    )
    shown = shared.command("rights", "list", *ORG)
    assert re.search(rf"^ +{number}  due 2026-02-04  overdue", shown, re.MULTILINE)
    assert "@" not in shown


def test_s32_a_bounced_notice_keeps_the_case_open(make_stage: MakeStage) -> None:
    def third_parties(organisation: dict) -> None:
        if organisation["name"] == "kleine-parel":
            organisation["third_parties"] = [
                {"name": name, "title": name.title(), "addresses": [f"{name}@{name}.example"],
                 "contract": "2018-05-25", "rights_clause": True}
                for name in ("alfa", "beta", "gamma")
            ]  # fmt: skip

    stage = make_stage(organisation=third_parties)
    stage.start()
    anna = person("anna")
    for name in ("alfa", "beta"):
        stage.command("registry", "set", "--to", anna, "--kind", "shared", *JAN, "--reason", "test", *ORG,
                      "--detail", f"third_party={name}", "--detail", f"message={name}1",
                      "--detail", "purpose=order")  # fmt: skip
    number = opened(stage, "erasure", anna)
    stage.recorder.pause("kleine-parel/kantoor")
    stage.command("rights", "complete", number, *JAN, *ORG)
    close = ["rights", "close", number, *JAN, *ORG, "--config", str(stage.config)]
    assert stage.run(close) == 1, "a notice is still under way"
    rows = {row["third_party"]: row for row in shown_mail(stage, number)}
    assert sorted(rows) == ["alfa", "beta"]
    wait(lambda: shown_mail(stage, number)[1]["state"] == "moved", "the notices to be in the spool")
    stage.command("queue", "drop", rows["beta"]["id"], *JAN, "--reason", "as a bounce would")
    stage.recorder.resume("kleine-parel/kantoor")
    wait(lambda: "failed" in [row["state"] for row in shown_mail(stage, number)], "the notice to fail")
    stage.command("queue", "retry", rows["alfa"]["id"], *JAN, "--reason", "now")
    wait(lambda: len(to(stage, "alfa@alfa.example")) == 1, "the other notice")
    assert number in open_numbers(stage)
    assert stage.run(close) == 1, "a notice did not arrive"
    stage.command("rights", "resend", number, rows["beta"]["id"], *JAN, *ORG)
    wait(lambda: len(to(stage, "beta@beta.example")) == 1, "the notice sent again")
    assert anna in texts(to(stage, "beta@beta.example")[0])["text/plain"]
    wait(lambda: stage.run(close) == 0, "the notices to be settled")
    arrived(stage, [anna], 1)
    wait(lambda: number not in open_numbers(stage), "the case to end")
    assert not to(stage, "gamma@gamma.example")
    assert len(to(stage, anna)) == len(to(stage, "alfa@alfa.example")) == len(to(stage, "beta@beta.example")) == 1


def shown_mail(stage: Stage, number: str) -> list[dict]:
    shown = json.loads(stage.command("rights", "show", number, *JAN, "--reason", "look", *ORG, "--json"))
    return sorted(shown["mail"], key=lambda row: row["third_party"])
