from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.compared import Compared, Sameness, Verdict
from gateway.decision import Action
from gateway.filters.trackers import FILTER
from gateway.message.draft import Draft
from gateway.message.parse import MalformedMessage, parse
from tests.filters.example import REPOSITORY, context, draft, only_content, render

CORPUS = REPOSITORY.parent / "shared" / "corpus"
PIXEL = '<img src="https://t.example/o/AbC123xyz987" width="1" height="1">'
LINK = '<a href="https://e.example/a?utm_source=x&amp;b=1">x</a>'
CLEAN = '<a href="https://e.example/a?b=1">x</a>'


def after(body: str, *, tracking: bool = False, content_type: str = "text/html; charset=utf-8") -> str:
    made = draft(body, content_type)
    FILTER.apply(made, context(tracking=tracking))
    return only_content(made).decode()


def test_without_consent_pixels_go_and_links_are_cleaned() -> None:
    assert after(f"<p>a{PIXEL}{LINK}</p>") == f"<p>a{CLEAN}</p>"


def test_with_consent_links_stay_and_pixels_go_all_the_same() -> None:
    assert after(f"<p>a{PIXEL}{LINK}</p>", tracking=True) == f"<p>a{LINK}</p>"
    text = "https://e.example/a?utm_source=x\r\n"
    assert after(text, tracking=True, content_type="text/plain") == text


def test_consent_counts_only_on_streams_that_allow_tracking() -> None:
    made = draft(LINK)
    FILTER.apply(made, context(tracking=True, rule={"tracking": "never"}))
    assert only_content(made).decode() == CLEAN


def test_plain_text_is_cleaned_too() -> None:
    assert after("Zie https://e.example/?utm_source=x.\r\n", content_type="text/plain") == "Zie https://e.example/.\r\n"


def test_edits_name_filter_and_kind() -> None:
    made = draft(f"{PIXEL}{LINK}")
    FILTER.apply(made, context())
    assert [(edit.by, edit.kind) for edit in made.edits] == [("trackers", "pixel"), ("trackers", "link-parameter")]


def test_a_stream_that_is_not_edited_keeps_everything_while_the_mail_is_personal() -> None:
    made = draft(f"{PIXEL}{LINK}")
    assert FILTER.apply(made, context(rule={"edit": False}, private=False)) == ()
    assert not made.edits
    FILTER.apply(made, context(rule={"edit": False}, private=True))
    assert {edit.kind for edit in made.edits} == {"pixel", "link-parameter"}


def test_our_own_opt_out_and_the_one_the_message_names_stay() -> None:
    own = '<a href="https://afmelden.voorbeeld.example/voorbeeld/abc?utm_source=x">x</a>'
    named = '<a href="https://e.example/x?id=1&amp;utm_source=x">x</a>'
    made = draft(own + named, head="List-Unsubscribe: <https://e.example/x?id=1&utm_source=x>\r\n")
    FILTER.apply(made, context())
    assert not made.edits


def test_links_that_cannot_be_cleaned_are_counted() -> None:
    made = draft('<a href="https://u1.ct.sendgrid.net/ls/click?upn=a">x</a>' * 3)
    (note,) = FILTER.apply(made, context())
    assert (note.kind, note.action, note.detail) == ("tracked-link", Action.DELIVER, "part 1: 3")


def test_sealed_parts_keep_their_bytes_and_are_noted() -> None:
    inner = f"Content-Type: text/html\r\n\r\n{PIXEL}\r\n"
    raw = (
        "From: a@voorbeeld.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=y;"
        f' protocol="application/pgp-signature"\r\n\r\n--y\r\n{inner}\r\n--y\r\n'
        "Content-Type: application/pgp-signature\r\n\r\nx\r\n--y--\r\n"
    ).encode()
    made = Draft(parse(raw))
    (note,) = FILTER.apply(made, context())
    assert (note.kind, note.action) == ("cannot-inspect", Action.DELIVER)
    assert "signed" in note.detail
    assert render(made) == raw


def test_attachments_are_not_read() -> None:
    made = draft(PIXEL, "text/html; name=a.html", head="Content-Disposition: attachment\r\n")
    assert FILTER.apply(made, context()) == ()
    assert not made.edits


def test_amp_parts_are_read_and_their_pixels_go() -> None:
    pixel = '<amp-pixel src="https://t.example/x.gif?u=1"></amp-pixel>'
    assert after(f"<p>{pixel}</p>", content_type="text/x-amp-html") == "<p></amp-pixel></p>"


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_encoded_parts_are_read_and_stay_valid(encoding: str) -> None:
    import base64
    import quopri
    from email import message_from_bytes, policy

    body = f"<p>é</p>{PIXEL}{LINK}\r\n".encode()
    octets = quopri.encodestring(body) if encoding == "quoted-printable" else base64.encodebytes(body)
    made = draft(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), encoding=encoding)
    FILTER.apply(made, context())
    content = str(message_from_bytes(render(made), policy=policy.default).get_content())  # type: ignore[attr-defined]
    assert content.strip() == f"<p>é</p>{CLEAN}"


def test_a_second_pass_finds_nothing() -> None:
    made = draft(f"{PIXEL}{LINK}<td background='https://x.google-analytics.com/collect?v=1'>")
    FILTER.apply(made, context())
    again = Draft(parse(render(made)))
    FILTER.apply(again, context())
    assert not again.edits


snippets = st.sampled_from(
    [
        PIXEL,
        LINK,
        "<p style='",
        '"',
        "'>",
        "url(https://t.example/AbC123xyz987)",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "&amp;",
        "é",
        "<",
        "https://e.example/?utm_source=a&amp;utm_x=1",
        "<div hidden>",
        "</div>",
        "<base href=//e.example/>",
        "<noscript>",
        "<!--[if mso]>",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(snippets, max_size=12).map("".join))
def test_any_html_is_read_without_failing_and_a_second_pass_finds_nothing(body: str) -> None:
    made = draft(body)
    FILTER.apply(made, context())
    if "cannot-inspect" in {outcome.kind for outcome in FILTER.apply(Draft(made.message), context())}:
        return
    again = draft(only_content(made))
    FILTER.apply(again, context())
    assert "https://t.example/o/AbC123xyz987" not in only_content(again).decode() or "<!--" in body or again.edits == []


HOSTILE = {
    "images": "<img src=//t.example/a>",
    "pixels": "<img width=1 src=//t.example/a?b>",
    "parameters": "&utm_source=x",
    "ampersands": "&amp;",
    "slashes": "/o",
    "open-divs": "<div hidden>",
    "brackets": "{(",
    "urls": "url(",
    "text-urls": "https://e.example/?utm_a=1 ",
    "comments": "<!--",
    "conditionals": "<!--[if mso]>",
    "attributes": ' a="b"',
    "styles": "<p style='width:1px;background:url(//t.example/a)'>",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "around", ["{}", '<a href="https://e.example/?{}">', "<style>{}</style>", '<img style="{}" src=//e.example/a>']
)
@pytest.mark.timeout(120)
def test_hostile_html_costs_in_proportion_to_its_size(name: str, around: str) -> None:
    # Quadratic work on 400 kB is minutes; the time limit is the judge.
    body = around.replace("{}", HOSTILE[name] * (400_000 // len(HOSTILE[name])))
    made = draft(re.sub(r"(.{900})", "\\1\r\n", body))
    FILTER.apply(made, context())


def _corpus() -> dict[str, str]:
    index = CORPUS / "INDEX.tsv"
    if not index.exists():
        pytest.skip(f"no message corpus at {CORPUS}")
    rows = [line.rstrip("\n").split("\t") for line in index.read_text().splitlines()[1:]]
    return {row[0]: row[6] if len(row) > 6 else "" for row in rows}


def _message(path: Path) -> Draft | None:
    raw = re.sub(rb"\r(?!\n)|\0", b"", re.sub(rb"\r?\n", b"\r\n", path.read_bytes()))
    raw = raw.split(b"\r\n", 1)[1] if raw.startswith(b"From ") else raw
    if path.suffix == ".html":
        raw = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + raw
    try:
        return Draft(parse(raw))
    except MalformedMessage:
        return None


def test_real_mail_loses_its_open_trackers_and_keeps_its_spacers() -> None:
    tagged = found = reported = 0
    for name, tags in _corpus().items():
        made = _message(CORPUS / name)
        if made is None:
            continue
        outcomes = FILTER.apply(made, context())
        removed = {edit.kind for edit in made.edits} - {"link-parameter", "redirect", "ping"}
        if "beacon:" in tags:
            tagged += 1
            found += bool(removed)
            reported += not removed and any(o.kind == "cannot-inspect" for o in outcomes)
        for edit in made.edits:
            part = next(p for p in made.message.walk() if p.path == edit.part)
            assert b"spacer" not in made.content(part)[edit.start : edit.end], name
    assert tagged == 19
    assert found >= 18
    assert found + reported == tagged


def test_a_mail_that_loads_more_than_any_mail_does_is_refused_with_the_reason() -> None:
    made = draft("".join(f'<img src="https://e.example/a?{n}" width=9>\r\n' for n in range(3000)))
    (note,) = FILTER.apply(made, context())
    assert (note.kind, note.action) == ("too-many-addresses", Action.REFUSE)
    assert note.reply is not None
    assert "addresses that are no ordinary pictures" in str(note.reply)


def test_each_link_that_cannot_be_cleaned_counts() -> None:
    made = draft('<a href="https://u1.ct.sendgrid.net/ls/click?upn=a">x</a>' * 3)
    (note,) = FILTER.apply(made, context())
    assert note.times == 3


def test_links_that_look_individual_are_reported_wherever_links_are_cleaned() -> None:
    link = '<a href="https://e.example/a?k=AbC123xyz987">x</a>'
    assert [note.kind for note in FILTER.apply(draft(link), context())] == ["tracked-link"]
    assert [n.kind for n in FILTER.apply(draft(link), context(opt_out={"text": "how-to"}))] == ["tracked-link"]
    assert FILTER.apply(draft(link), context(tracking=True)) == ()
    assert FILTER.apply(draft(link), context(tracking=True)) == ()


def test_in_one_mail_to_several_people_individual_links_are_reported_and_pixels_go_though_all_share_them() -> None:
    link, image = "https://e.example/a?k=AbC123xyz987", "https://e.example/AbC123xyz987"
    compared = Compared({address: Verdict(Sameness.COMMON) for address in (link, image)})
    for recipient, kinds in ((b"", ["tracked-link"]), (b"jan@example.org", [])):
        made = draft(f'<a href="{link}">x</a><img src="{image}">')
        notes = FILTER.apply(made, context(compared=compared, recipient=recipient))
        assert [note.kind for note in notes] == kinds
        assert ("<img" in only_content(made).decode()) is (recipient != b"")


def test_flowed_text_whose_lines_join_is_cleaned_across_them() -> None:
    text = "Zie https://e.example/a?utm_sou \r\nrce=x&b=1\r\n"
    flowed = "text/plain; charset=utf-8; format=flowed; delsp=yes"
    assert after(text, content_type=flowed) == "Zie https://e.example/a?b=1\r\n"


def test_r059_what_copies_say_reaches_pictures_and_links() -> None:
    own = Compared({"https://e.example/a.png?k=1": Verdict(Sameness.INDIVIDUAL, "https://e.example/a.png")})
    made = draft('<img src="https://e.example/a.png?k=1" width=60>')
    FILTER.apply(made, context(compared=own))
    assert only_content(made) == b'<img src="https://e.example/a.png" width=60>'
    assert [edit.kind for edit in made.edits] == ["made-common"]


def test_the_only_recipients_own_address_in_a_picture_goes() -> None:
    body = '<img src="https://e.example/w?m=Jan%40example.org" width="40" alt="Jan">'
    made = draft(body)
    FILTER.apply(made, context(recipient=b"jan@example.org"))
    assert only_content(made) == b""
