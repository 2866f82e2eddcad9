"""Runs before and after: what goes, what comes, and long stretches that nothing touched."""

from __future__ import annotations

from gateway.cli.marked import Run, after, before, edited, edits_of
from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse

RAW = b"From: a@x.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nEen caf\xc3\xa9 & meer\r\n"
SLOTS = {Slot.OPT_OUT: "https://af.example/T"}


def made() -> Draft:
    draft = Draft(parse(RAW))
    part = draft.message.root
    draft.splice(part, 0, 4, (), by="trackers", kind="pixel")
    draft.splice(part, 9, 9, (b"(", Slot.OPT_OUT, b")"), by="opt_out", kind="opt-out-text")
    return draft


def test_what_goes_and_what_comes_is_named() -> None:
    draft = made()
    content, edits = draft.content(draft.message.root), edits_of(draft, "1")
    assert before(content, edits, "utf-8") == [
        Run("Een ", "gone", "trackers: pixel"),
        Run("café"),
        Run(" & meer\n"),
    ]
    assert after(content, edits, "utf-8", SLOTS) == [
        Run("café"),
        Run("(https://af.example/T)", "new", "opt_out: opt-out-text"),
        Run(" & meer\n"),
    ]


def test_the_text_after_knows_where_the_new_stands() -> None:
    draft = made()
    found = edited(draft.content(draft.message.root), edits_of(draft, "1"), SLOTS)
    assert found.content == "café(https://af.example/T) & meer\r\n".encode()
    assert [found.content[s:e] for s, e in found.new] == [b"(https://af.example/T)"]


def test_encoding_a_part_again_is_no_edit_of_its_text() -> None:
    draft = Draft(parse(RAW))
    draft.rewrap(draft.message.root, by="long_lines", kind="rewrapped")
    assert edits_of(draft, "1") == []


def test_a_long_untouched_stretch_is_shortened_and_says_by_how_much() -> None:
    runs = before(b"x" * 5000, [], "ascii")
    assert [(len(r.text), r.kind) for r in runs] == [(600, ""), (32, "left-out"), (600, "")]
    assert "3800 characters" in runs[1].text
