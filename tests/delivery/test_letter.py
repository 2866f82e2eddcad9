"""A stored row as typed values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.address import Address
from gateway.decision import Classification, Stream, Variant
from gateway.delivery.letter import NOTICED, Letter, no_looser
from gateway.message.draft import Slot
from gateway.pseudonym import Pseudonyms
from gateway.spool.protocol import Entry, Opened, State

KEYS = Pseudonyms((b"k" * 32, b"n" * 32), frozenset({"wide.example"}))
ENTRY = Entry(
    1, "m", 1, "school", "crm", "personal", 0.0,
    {"classification": Classification(Stream.PERSONAL).to_json(), "from_domain": "school.example", "language": "nl"},
    b"", b"", State.QUEUED, "p", "nl/untracked", 0, 0.0, 0.0, "",
)  # fmt: skip
OPENED = Opened(
    {"sender": "a@school.example", "ret": "HDRS", "envid": "E", "split": True, "headers": "Subject: x\r\n"},
    {"address": "Jan+x@Wide.Example", "notify": ["DELAY"], "orcpt": "rfc822;j", "slots": {"opt-out": "https://x"}},
    b"",
)


def test_everything_intake_wrote_is_read() -> None:
    letter = Letter.read(ENTRY, OPENED, KEYS)
    path = letter.path
    assert (path.sender, path.recipient) == ("a@school.example", "Jan+x@Wide.Example")
    assert (path.notify, path.orcpt, path.envid, path.ret, path.split) == ({"DELAY"}, "rfc822;j", "E", "HDRS", True)
    assert letter.slots == {Slot.OPT_OUT: b"https://x"}
    assert (letter.from_domain, letter.language, letter.noticed) == ("school.example", "nl", False)
    assert letter.classification == Classification(Stream.PERSONAL)


def test_the_person_is_named_anew_with_the_newest_keys() -> None:
    letter = Letter.read(ENTRY, OPENED, KEYS)
    assert letter.person == KEYS.person(Address.parse("Jan+x@Wide.Example"))
    assert letter.person.block_wide


def test_a_return_path_of_the_copy_is_used_but_reports_go_to_the_submitter() -> None:
    row = {**OPENED.row, "return_path": "b+7@bounce.example", NOTICED: True}
    letter = Letter.read(ENTRY, replace(OPENED, row=row), KEYS)
    assert (letter.path.sender, letter.submitter, letter.noticed) == ("b+7@bounce.example", "a@school.example", True)


def test_mail_without_marks_is_of_no_stream() -> None:
    letter = Letter.read(replace(ENTRY, facts={}), OPENED, KEYS)
    assert letter.classification.stream is Stream.UNCLASSIFIED


@pytest.mark.parametrize("row", [{}, {"address": 7}, {"address": "a@b.example", "notify": "x"}])
def test_a_row_that_intake_did_not_write_is_an_error(row: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Letter.read(ENTRY, replace(OPENED, row={"notify": 3, **row}), KEYS)


def test_nothing_of_a_letter_prints() -> None:
    assert "ample" not in repr(Letter.read(ENTRY, OPENED, KEYS)).replace("from_domain='school.example'", "")


@pytest.mark.parametrize("stored", ["nl/tracked", "nl/untracked"])
@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("tracking", [True, False])
def test_a_text_only_ever_gets_stricter(stored: str, language: str, tracking: bool) -> None:
    used = no_looser(stored, Variant(language, tracking))
    assert used in (stored, "nl/untracked")
    assert used == "nl/untracked" or tracking
