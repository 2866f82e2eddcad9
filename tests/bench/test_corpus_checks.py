"""The readers that judge corpus mail see what is planted for them."""

from __future__ import annotations

import base64
import multiprocessing
from pathlib import Path

import pytest

from bench.corpus import crew, reading, trees
from bench.corpus.checks import CHECKS, Case
from bench.corpus.crew import Task, files, octets
from bench.corpus.figures import brief, sums, table
from bench.corpus.loads import links, loads
from bench.corpus.passage import Passage
from bench.corpus.sight import see
from tests.parsers.tree import stdlib

BASE = "https://stop.example/x/"
URL = BASE + "T" * 40
HEAD = (
    "From: Example <info@example.org>\r\nTo: jan@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    f"List-Unsubscribe: <{URL}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "DKIM-Signature: v=1; h=from:list-unsubscribe:\r\n list-unsubscribe-post; b=x\r\n"
)
PICTURE = base64.encodebytes(b"picture").decode().replace("\n", "\r\n")
MIXED = (
    'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n'
    'Content-Type: multipart/alternative; boundary="a"\r\n\r\n'
    f"--a\r\nContent-Type: text/plain\r\n\r\nHello there.\r\n{URL}\r\n--a\r\nContent-Type: text/html\r\n\r\n"
    f'<p>Hello there.</p><p><a href="{URL}">stop</a></p>\r\n--a--\r\n--m\r\nContent-Type: image/gif\r\n'
    f"Content-Transfer-Encoding: base64\r\n\r\n{PICTURE}--m--\r\n"
)
GOOD = HEAD + MIXED
SIGNED = (
    'Content-Type: multipart/signed; boundary="s"\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\nHi\r\n'
    "--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n"
)


def wrong(after: str, before: str = GOOD, *, others: tuple[str, ...] = ("anna@example.org",)) -> dict[str, list[str]]:
    case = Case(before.encode(), after.encode(), "jan@example.org", frozenset(others), BASE, lambda token: bool(token))
    found = {name: check(case)[1] for name, check in CHECKS.items()}
    return {name: texts for name, texts in found.items() if texts}


def test_a_right_copy_is_right() -> None:
    assert wrong(GOOD) == {}


@pytest.mark.parametrize(
    ("old", "new", "property_"),
    [
        ("Subject: x", "Disposition-Notification-To: a@example.org\r\nSubject: x", "receipts"),
        ("Subject: x", "Subject: =?utf-8?q?anna=40example.org?=", "others"),
        ("Hello there.\r\n", "Hello there.\r\nAnna@Example.org\r\n", "others"),
        ("To: jan@example.org", "To: jan@example.org, bert@example.org", "others"),
        ("Subject: x", "Delivered-To: jan@example.org\r\nSubject: x", "others"),
        (PICTURE, PICTURE.replace("c", "d"), "attachments"),
        (PICTURE, "\r\n" + PICTURE, "attachments"),
        (f"{URL}\r\n--a", "\r\n--a", "opt-out"),
        (f"{URL}\r\n--a", f"{URL}\r\n{URL}\r\n--a", "opt-out"),
        ("<p><a href", '<p style="display: none"><a href', "opt-out"),
        ("<p><a href", "<!-- <p><a href", "opt-out"),
        (f'href="{URL}"', f'href="{URL}A"', "opt-out"),
        ("List-Unsubscribe-Post: ", "X: ", "opt-out header"),
        ("list-unsubscribe-post; b", "x; b", "opt-out header"),
        (f"<{URL}>", f"<{BASE}>", "opt-out header"),
        ("Hello there.\r\n", "Hello there.\n", "lines"),
        ("Hello there.\r\n", "Hello there." + "x" * 999 + "\r\n", "lines"),
        ("Hello there.\r\n", "Hello.\r\n", "words"),
    ],
)
def test_what_is_wrong_is_seen(old: str, new: str, property_: str) -> None:
    assert old in GOOD
    assert property_ in wrong(GOOD.replace(old, new, 1))


def test_a_signed_part_may_not_change_by_an_octet() -> None:
    assert "sealed" not in wrong(HEAD + SIGNED, HEAD + SIGNED)
    assert "sealed" in wrong(HEAD + SIGNED.replace("Hi\r\n", "Hi \r\n"), HEAD + SIGNED)


def test_trees_may_get_a_wrapper_and_other_texts_and_nothing_else() -> None:
    wrapped = HEAD + 'Content-Type: multipart/mixed; boundary="w"\r\n\r\n--w\r\n' + MIXED
    wrapped += "\r\n--w\r\nContent-Type: text/plain\r\n\r\nstop\r\n--w--\r\n"
    texts = GOOD.replace("Hello", "Bye")
    picture = GOOD.replace(PICTURE, PICTURE.replace("c", "d"))
    found = [
        trees.difference(stdlib, GOOD.encode(), after.encode(), texts=2)
        for after in (GOOD, wrapped, texts, picture, GOOD.replace("image/gif", "image/png"))
    ]
    assert [bool(text) for text in found] == [False, False, False, True, True]


def test_loads_and_links_are_found_by_the_standard_library() -> None:
    page = (
        '<img src="https://e.example/a.png" srcset="https://e.example/b.png 1x, //e.example/c.png 2x"><img src="cid:x">'
        '<td background="http://e.example/d.gif" style="background:url(\'https://e.example/e.gif\')">'
        "<style>@import 'https://e.example/f.css';</style><!--[if mso]><v:fill src=\"https://e.example/g.png\"><![endif]-->"
        '<a href="https://e.example/h">h</a><a href="mailto:a@e.example">i</a>'
    )
    assert {load.url.rpartition("/")[2][0] for load in loads(page)} == set("abcdefg")
    assert [(link.ordinal, link.url, link.text) for link in links(page)] == [(1, "https://e.example/h", "h")]


def test_only_what_is_visible_is_seen() -> None:
    page = "<head><title>a</title></head><body>b<p hidden>c</p><!-- d --><style>e</style><p style='opacity:0'>f</p>g"
    assert see(page).text == ["b", "g"]


def test_a_head_that_nobody_closed_ends_where_a_browser_ends_it() -> None:
    assert see("<html><head><meta name=a><title>t</title><p>seen</p>").text == ["seen"]
    assert see("<html><head><title>t").text == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nx", False),
        ("-----BEGIN PGP MESSAGE-----\r\nx", False),
        ("He wrote:\r\n> -----BEGIN PGP SIGNED MESSAGE-----\r\n> x", True),
        ("Hello\r\n-----BEGIN PGP SIGNATURE-----\r\nx", True),
    ],
)
def test_only_text_that_somebody_could_verify_or_decrypt_is_sealed(text: str, shown: bool) -> None:
    message = reading.parsed(f"Content-Type: text/plain\r\n\r\n{text}\r\n".encode())
    assert [leaf.shown for leaf in reading.leaves(message)] == [shown]


def test_a_worker_that_dies_with_its_mail_in_hand_costs_that_mail_alone(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    gone = multiprocessing.get_context("spawn").Process(target=int)
    gone.start()
    hand = crew._Hand(gone, ours, Task(tmp_path, "a.eml"))
    ours.send("a mail that is never read")
    theirs.close()  # with something unread in it, so that reading on this side is a reset and no end of file
    found = crew._result(hand, 60)
    assert found is not None
    assert {(p.outcome, p.why) for p in found} == {("crashed", "the worker died")}


def test_pages_become_mails_and_folders_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_bytes(b"<p>\n</p>")
    (tmp_path / "a.eml").write_bytes(b"x")
    (tmp_path / "c.txt").write_bytes(b"x")
    assert [task.name for task in files(tmp_path)] == ["a.eml", "b.html"]
    assert octets(Task(tmp_path, "b.html")).endswith(b"\r\n\r\n<p>\r\n</p>")


def test_figures_count_what_was_looked_at_and_what_was_wrong() -> None:
    good, bad = Passage("a", "newsletter", "delivered"), Passage("b", "newsletter", "refused", "550 5.6.0 Format: two")
    good.add("receipts", 3, ["Return-Receipt-To left"])
    found = sums([good, bad]).to_json()
    assert (found["mails"], found["outcomes"]) == (2, {"newsletter": {"delivered": 1, "refused: two": 1}})
    assert found["misses"] == [["a", "newsletter", "receipts", "Return-Receipt-To left"]]
    assert "| requests for receipts gone | 2 | 3 | 66.7 % | 100 % |" in table(found)
    assert brief("550 5.6.0 Message format: part 1.2 has x; more") == "part 1.2 has x"
