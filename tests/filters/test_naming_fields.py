"""Fields that nobody reads give way before a mail has to wait."""

from __future__ import annotations

import base64

import pytest

from gateway.filters.naming_fields import cut
from tests.filters.mail import draft, left

BERT = frozenset({b"1e:bert@example.org"})
NEW = b"new@voorbeeld.example"
B64 = base64.b64encode(b"bert@example.org").decode()
BODY = "Subject: x\n\nhallo\n"


def after(header: str) -> str:
    edited = draft(header + BODY)
    cut(edited, BERT, NEW)
    return left(edited).removesuffix(BODY)


@pytest.mark.parametrize(
    "header",
    [
        "X-Recipients: anna@example.org, bert@example.org\n",
        "X-Campaign: cmVjaXA=,\n more\n X: bert@example.org\n",
        f"X-Track: {B64}\n",
        "List-Owner: <mailto:bert@example.org>\n",
        "List-Unsubscribe: <mailto:off+bert=example.org@x.example>\n",
        f"Feedback-ID: 1:{B64}:x:y\n",
        "DKIM-Signature: v=1; d=x.example; i=bert@example.org; b=abc\n",
        "Received: from x by y for <bert@example.org>; Sun, 1 Jan 2024 00:00:00 +0000\n",
        "Errors-To: bounce-bert=example.org@x.example\n",
        "Thread-Topic: vraag van bert@example.org\n",
        "Return-Path: <bounces+bert=example.org@x.example>\n",
    ],
)
def test_a_field_that_names_them_goes_whole(header: str) -> None:
    assert after(header) == ""


@pytest.mark.parametrize(
    "header",
    [
        "Subject: bert@example.org\n",
        "From: bert@example.org\n",
        "Reply-To: bert@example.org\n",
        "Comments: bert@example.org\n",
        "Content-Type: text/plain; name=bert@example.org\n",
        "X-Recipients: anna@example.org\n",
        "References: <1@example.org> <2@example.org>\n",
        "Message-ID: <bertus@example.org>\n",
    ],
)
def test_what_people_read_or_what_names_others_stays(header: str) -> None:
    assert after(header) == header


@pytest.mark.parametrize(
    "spelled", ["bert@example.org", "17.bert=example.org@x.example", "bert%40example.org@x.example", f"{B64}@x.example",
                f"1-{b'bert@example.org'.hex()}-2@x.example"],
)  # fmt: skip
def test_r030_ids_that_embed_them_are_cut_and_the_others_stay(spelled: str) -> None:
    assert after(f"References: <1@example.org> <{spelled}>\n <2@example.org>\n") == (
        "References: <1@example.org>\n <2@example.org>\n"
    )
    assert after(f"In-Reply-To: <{spelled}>\n") == ""
    assert after(f"Message-ID: <{spelled}>\n") == "Message-ID: <new@voorbeeld.example>\n"


def test_blocks_go_whole_or_not_at_all() -> None:
    resent = (
        "Resent-From: bert@example.org\nResent-Date: Sun, 1 Jan 2024 00:00:00 +0000\nResent-Message-ID: <1@x.example>\n"
    )
    seal = "ARC-Seal: i=1; d=x.example\nARC-Authentication-Results: i=1; x.example; smtp.rcpttodomain=a\n"
    assert after(resent) == ""
    assert after(f"{seal}ARC-Message-Signature: i=1; z=to:bert@example.org\n") == ""
    assert after(seal) == seal


def test_a_field_that_is_edited_already_is_left_alone() -> None:
    edited = draft(f"X-A: bert@example.org\n{BODY}")
    edited.replace_value(edited.message.fields("X-A")[0], (b"bert@example.org",), by="t", kind="t")
    assert cut(edited, BERT, NEW) == {}


def test_what_was_cut_is_counted_by_kind() -> None:
    edited = draft(
        "Message-ID: <bert@example.org>\nReferences: <bert@example.org> <1@x.example>\nX-A: bert@example.org\n"
        f"X-B: bert@example.org\n{BODY}"
    )
    assert cut(edited, BERT, NEW) == {"message-id-replaced": 1, "ids-cut": 1, "fields-cut": 2}
    assert all(edit.by == "leak_check" for edit in edited.edits)
