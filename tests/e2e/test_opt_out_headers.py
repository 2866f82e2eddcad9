"""The header fields by which mail programs opt out, on mail that really left (RFC 2369, RFC 8058)."""

from __future__ import annotations

import re
from email.headerregistry import HeaderRegistry
from email.parser import BytesHeaderParser

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, REZULTO, arrived, consent, dns, header, mail, person, send, verifies

ONE_CLICK = {"List-Unsubscribe", "List-Unsubscribe-Post"}
LINK = {"List-Unsubscribe"}
DATED = {k: v for k, v in consent("", "").items() if k not in ("address", "kind", "scope")}
OFFER = {"stream": "notification", "offer": "similar trainingen", "basis": "soft_opt_in"}
MATRIX = [
    ("kleine-parel-crm", PAREL, {"stream": "newsletter", "list": "nieuwsbrief"}, ONE_CLICK),
    ("kleine-parel-crm", PAREL, {"stream": "notification", "topic": "lezingen", "ready": "yes"}, ONE_CLICK),
    ("kleine-parel-crm", PAREL, {"stream": "participation", "reference": "cursus-78"}, LINK),
    ("kleine-parel-crm", PAREL, {"stream": "policy_change", "reference": "2027-01"}, LINK),
    ("kleine-parel-webshop", PAREL, {}, set()),
    ("kleine-parel-office", PAREL, {}, set()),
    ("kleine-parel-office", PAREL, {"stream": "rights"}, set()),
    ("kleine-parel-office", PAREL, {"stream": "confirmation"}, set()),
    ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips", "basis": "consent"}, ONE_CLICK),
    ("rezulto-crm", REZULTO, OFFER, ONE_CLICK),
    ("rezulto-crm", REZULTO, {"stream": "informational", "reference": "o", "basis": "contract"}, set()),
    ("rezulto-crm", REZULTO, {"stream": "research", "basis": "consent"}, set()),
    ("rezulto-webshop", REZULTO, {"reference": "o"}, set()),
    ("rezulto-office", REZULTO, {}, set()),
]  # fmt: skip


def anybody(stage: Stage) -> str:
    who = person("kop")
    enrolled = {"address": who, "kind": "enrolment", "reference": "cursus-78"}
    asked = {"address": who, "kind": "request", "topic": "lezingen", **DATED}
    bought = {"address": who, "kind": "purchase", "category": "trainingen", "declined": "no", "at": "2026-09-01"}
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief"), enrolled, asked])
    stage.people("rezulto", [consent(who, "list:lestips"), consent(who, "purpose:research"), bought])
    return who


def copy_of(stage: Stage, client: str, sender: str, marks: dict[str, str], **fields: str) -> bytes:
    who = anybody(stage)
    message = mail(sender, [who], **marks)
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    sent = send(stage, client, message, [who])
    assert sent.code == 250, sent.reply
    return arrived(stage, [who])[0].content


@pytest.mark.parametrize(("client", "sender", "marks", "fields"), MATRIX)
def test_r078_each_stream_has_the_fields_of_its_settings_and_no_others(
    shared: Stage, client: str, sender: str, marks: dict[str, str], fields: set[str]
) -> None:
    content = copy_of(shared, client, sender, marks)
    assert {name for name in ONE_CLICK if header(content, name)} == fields


def test_r062_r074_one_field_with_one_address_on_one_line_that_three_readers_read_alike(shared: Stage) -> None:
    content = copy_of(shared, *MATRIX[0][:3])
    lines = [line for line in content.partition(b"\r\n\r\n")[0].split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
    (line,) = lines
    by_hand = re.fullmatch(rb"List-Unsubscribe: <(http://127\.0\.0\.1:\d+/kleine-parel/[\w-]+)>", line)
    assert by_hand is not None
    assert len(line) < 998
    (legacy,) = header(content, "List-Unsubscribe")
    modern = HeaderRegistry()("List-Unsubscribe", str(BytesHeaderParser().parsebytes(content)["List-Unsubscribe"]))
    assert legacy == str(modern) == f"<{by_hand[1].decode()}>"


def test_r063_the_post_field_is_exactly_the_pair(shared: Stage) -> None:
    head = copy_of(shared, *MATRIX[0][:3]).partition(b"\r\n\r\n")[0]
    fields = [line for line in head.split(b"\r\n") if line.lower().startswith(b"list-unsubscribe-post")]
    assert fields == [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"]


def test_r064_both_fields_are_under_a_valid_signature(shared: Stage) -> None:
    content = copy_of(shared, *MATRIX[0][:3])
    records = dns(shared)
    (signature,) = header(content, "DKIM-Signature")
    signed = re.sub(r"\s", "", re.search(r"h=([^;]+);", signature)[1]).lower().split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(signed)
    assert verifies(content, records)
    for name in (b"List-Unsubscribe: <", b"List-Unsubscribe-Post: "):
        assert not verifies(content.replace(name, name + b"x"), records)
    added = b"List-Unsubscribe: <https://elders.example/>\r\n"
    assert not verifies(content.replace(b"List-Unsubscribe: ", added + b"List-Unsubscribe: "), records)


def test_r062_list_fields_of_the_client_give_way_to_ours(shared: Stage) -> None:
    theirs = {
        "List_Unsubscribe": "<https://crm.example/u/1>, <mailto:stop@crm.example>",
        "list_unsubscribe_post": "List-Unsubscribe=One-Click",
        "List_Help": "<https://crm.example/help>",
    }
    content = copy_of(shared, *MATRIX[0][:3], **theirs)
    assert len(header(content, "List-Unsubscribe")) == len(header(content, "List-Unsubscribe-Post")) == 1
    assert b"crm.example" not in content


def test_r074_a_list_is_named_by_its_own_identifier(shared: Stage) -> None:
    assert header(copy_of(shared, *MATRIX[0][:3]), "List-Id") == ["<nieuwsbrief.dekleineparel.nl>"]
    assert header(copy_of(shared, *MATRIX[2][:3]), "List-Id") == []
