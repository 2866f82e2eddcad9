from __future__ import annotations

import base64
import html
import json
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compared import Compared, Sameness, Verdict
from gateway.config.trackers import Trackers
from gateway.filters.tracker_links import MAX_ADDRESS, MOST, Cut, Rules, clean, plain
from gateway.filters.tracker_text import shown_cuts, text_cuts
from tests.filters.example import FACTS


def after(value: str, *, markup: bool = True, exempt: frozenset[str] = frozenset(), facts: Trackers = FACTS) -> str:
    return apply(value.encode(), clean(value.encode(), Rules(facts, exempt), markup=markup))


def apply(content: bytes, cuts: list[Cut]) -> str:
    kept, at = b"", 0
    for cut in cuts:
        assert cut.start >= at
        kept, at = kept + content[at : cut.start] + cut.text, cut.end
    return (kept + content[at:]).decode()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("https://e.example/a?utm_source=x", "https://e.example/a"),
        ("https://e.example/a?b=1&amp;utm_source=x&amp;c=2", "https://e.example/a?b=1&amp;c=2"),
        ("https://e.example/a?utm_source=x&amp;b=1", "https://e.example/a?b=1"),
        ("https://e.example/a?utm_a=1&utm_b=2&b=1&utm_c=3#top", "https://e.example/a?b=1#top"),
        ("https://e.example/a?z=1&#38;mc_eid=x&#x26;a=%20", "https://e.example/a?z=1&#x26;a=%20"),
        ("https://e.example/a#utm_source=x", "https://e.example/a"),
        ("https://e.example/a?b=1#utm_source=x&p=2", "https://e.example/a?b=1#p=2"),
        ("https://e.example/a?%75tm_source=x", "https://e.example/a"),
        ("https://e.example/a?utm&#95;source=x&amp;b=1", "https://e.example/a?b=1"),
        ("https://e.example/a?b=1&copy=2&utm_source=3", "https://e.example/a?b=1&copy=2"),
        ("https://e.example/a?utm_source", "https://e.example/a?utm_source"),
        ("https://e.example/a?b=&amp;c&amp;&amp;gclid=1", "https://e.example/a?b=&amp;c&amp;"),
        ("  https://e.example/?utm_source=x ", "  https://e.example/"),
        ("/relative?utm_source=x", "/relative?utm_source=x"),
        ("mailto:a@e.example?utm_source=x", "mailto:a@e.example?utm_source=x"),
    ],
)
def test_known_parameters_go_and_the_rest_keeps_order_and_bytes(before: str, expected: str) -> None:
    assert after(before) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "https://www.google.com/url?sa=t&amp;q=https%3A%2F%2Fe.example%2Fa%3Fb%3D1%26c%3D2",
            "https://e.example/a?b=1&amp;c=2",
        ),
        ("https://www.google.com/url?q=https%3A%2F%2Fe.example%2F%3Futm_source%3Dx", "https://e.example/"),
        ("https://x.awstrack.me/L0/https:%2F%2Fe.example%2Fa%20b/1/0102-3/x=1", "https://e.example/a%20b"),
        ("https://www.google.com/url?q=javascript:alert(1)", "https://www.google.com/url?q=javascript:alert(1)"),
        (
            "https://www.google.com/url?q=https%3A%2F%2Fe.example%2F%22%3E%3Cscript%3E",
            "https://e.example/%22%3E%3Cscript%3E",
        ),
        (
            "https://www.google.com/url?q=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fe.example%252Fz",
            "https://e.example/z",
        ),
        ("https://www.google.com/url?q=https%3A%2F%2Fe.example%2Fcaf%C3%A9", "https://e.example/caf%C3%A9"),
    ],
)
def test_known_redirectors_give_way_to_their_target(before: str, expected: str) -> None:
    assert after(before) == expected


def test_a_redirector_that_hides_its_target_is_reported_and_kept() -> None:
    value = b"https://u1.ct.sendgrid.net/ls/click?upn=abc"
    assert [cut.kind for cut in clean(value, Rules(FACTS), markup=True)] == ["tracked-link"]
    assert after(value.decode()) == value.decode()


@pytest.mark.parametrize(
    "value",
    [
        "https://e.example/afmelden?utm_source=x",
        "https://e.example/?unsubscribe=1&utm_source=x",
        "https://e.example/reset-password?utm_source=1",
    ],
)
def test_opt_out_and_account_links_stay(value: str) -> None:
    assert after(value) == value


def test_exempt_addresses_and_beginnings_stay() -> None:
    exempt = frozenset({"https://e.example/a?utm_source=x", "https://optout.example/"})
    assert after("https://e.example/a?utm_source=x", exempt=exempt) == "https://e.example/a?utm_source=x"
    assert after("https://optout.example/t?utm_source=x", exempt=exempt) == "https://optout.example/t?utm_source=x"
    assert after("https://e.example/b?utm_source=x", exempt=exempt) == "https://e.example/b"


def test_text_loses_parameters_and_keeps_its_punctuation() -> None:
    text = b"Zie (https://e.example/a?utm_source=x), of https://e.example/b?c=1&utm_medium=y. Klaar"
    cuts = list(text_cuts(text, Rules(FACTS)))
    assert apply(text, cuts) == "Zie (https://e.example/a), of https://e.example/b?c=1. Klaar"


def test_markup_text_keeps_its_character_references() -> None:
    text = b"<p>https://e.example/a?utm_source=x&nbsp;en https://e.example/?b=1&amp;utm_source=x&gt;</p>"
    cuts = list(shown_cuts(text, 3, len(text) - 4, Rules(FACTS)))
    assert apply(text, cuts) == "<p>https://e.example/a&nbsp;en https://e.example/?b=1&gt;</p>"


pair = st.tuples(st.sampled_from(["a", "utm_source", "b%20c", "gclid", "é", ""]), st.text("xy%= é", max_size=4))


@given(st.lists(pair, max_size=6), st.sampled_from(["", "#top", "#utm_source=1"]))
def test_other_pairs_stay_whatever_stands_between_them(pairs: list[tuple[str, str]], fragment: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    left = [f"{name}={value}" for name, value in pairs if name not in ("utm_source", "gclid")]
    before = f"https://e.example/a?{query}{fragment}"
    found = after(before, markup=False)
    assert found.removesuffix("#top").partition("?")[2].partition("#")[0] == "&".join(left) or not pairs
    assert html.unescape(after(html.escape(before))) == found
    assert after(found, markup=False) == found


@given(st.binary(max_size=200))
def test_cleaning_never_fails_and_stays_within_its_value(value: bytes) -> None:
    for markup in (True, False):
        for cut in clean(b"https://e.example/" + value, Rules(FACTS), markup=markup):
            assert 0 <= cut.start <= cut.end <= len(value) + 18


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


PAGE = "https://e.example/a?b=1"
SQUEEZED = base64.urlsafe_b64encode(zlib.compress(json.dumps({"r": "x", "l": PAGE}).encode())).decode()


@pytest.mark.parametrize(
    "before",
    [
        f"https://x.mjt.lu/lnk/AbC/1/dEf/{b64(PAGE)}",
        f"https://eur03.safelinks.protection.outlook.com/?url={quote(PAGE, safe='')}&amp;data=05%7C01",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__e.example_a-3Fb-3D1&amp;d=DwMFaQ",
        "https://urldefense.com/v3/__https://e.example/a?b=1__;!!AbC!key$",
        f"https://mandrillapp.com/track/click/81/e.example?p={b64(json.dumps({'p': json.dumps({'url': PAGE})}))}",
        f"https://email.nieuws.example/c/{SQUEEZED}",
        f"https://klik.example/e/c/{b64(json.dumps({'href': PAGE}))}",
        f"https://t.nieuws.example/{b64(PAGE)}/AbC123xyz987",
        f"https://nieuws.example/click?id=81234567&amp;url={quote(PAGE, safe='')}",
        f"https://nieuws.example/redirect/{PAGE.encode().hex()}/81",
        "https://klik.example/track/AbC/https://e.example/a?b=1",
        "https://click.pstmrk.it/3s/e.example%2Fa%3Fb%3D1/AbC/dEf",
    ],
)
def test_r060_the_page_behind_a_counter_takes_its_place(before: str) -> None:
    assert after(before) == PAGE


@pytest.mark.parametrize(
    "value",
    [
        f"https://nieuws.example/sharer?url={quote(PAGE, safe='')}",
        f"https://nieuws.example/login?url={quote(PAGE, safe='')}",
        f"https://nieuws.example/artikel?url={quote(PAGE, safe='')}",
        f"https://nieuws.example/click?url={quote(PAGE, safe='')}&amp;to={quote('https://b.example/', safe='')}",
        "https://nieuws.example/click?url=javascript:alert(1)",
        f"https://nieuws.example/click?url={quote('https://e.example/uitschrijven', safe='')}",
        "https://betaal.example/?utm_source=x",
        "https://e.example/bevestig?utm_source=x",
        "https://e.example/account?utm_source=x",
    ],
)
def test_r060_what_leads_elsewhere_or_must_work_stays(value: str) -> None:
    assert after(value) == value


def kinds(value: str, rules: Rules) -> list[str]:
    return [cut.kind for cut in clean(value.encode(), rules, markup=False)]


def test_r059_a_link_that_differs_is_made_common_or_reported_and_an_exempt_one_left() -> None:
    differs = "https://e.example/a?k=81&b=1"
    compared = Compared(
        {
            differs: Verdict(Sameness.INDIVIDUAL, "https://e.example/a?b=1&utm_source=x"),
            "https://e.example/k/81": Verdict(Sameness.INDIVIDUAL),
            "https://e.example/afmelden?k=81": Verdict(Sameness.INDIVIDUAL, "https://e.example/afmelden"),
            "https://e.example/z?k=AbC123xyz987": Verdict(Sameness.COMMON),
        }
    )
    rules = Rules(FACTS, compared=compared)
    assert apply(differs.encode(), clean(differs.encode(), rules, markup=False)) == "https://e.example/a?b=1"
    assert kinds(differs, rules) == ["made-common"]
    assert kinds("https://e.example/k/81", rules) == ["tracked-link"]
    assert kinds("https://e.example/afmelden?k=81", rules) == []
    assert kinds("https://e.example/z?k=AbC123xyz987", rules) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://e.example/a?k=AbC123xyz987", True),
        ("https://e.example/click/123/456", True),
        ("https://e.example/click/hier", False),
        ("https://e.example/sp/t.pl?id=1753:5410083", True),
        ("https://e.example/T/r.cfm?U=9441900&L=9111", True),
        ("https://e.example/redirect.php?m=12&l=34", True),
        ("https://e.example/lijst.php?m=12&l=34", False),
        ("https://e.example/go/2/4LGDJ3AF-4KZ1Q2PX/x.html", True),
        ("https://e.example/r/?id=h4d5e6f,7a8b9c,1", True),
        ("https://e.example/vragen/1117108/werken-in-c-of-go", False),
        ("https://forum.example/t/een-onderwerp/12345/67", False),
        ("https://e.example/t/12345", True),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", False),
        ("https://www.youtube.com/other?v=dQw4w9WgXcQ", True),
        ("https://us02web.zoom.us/j/81234567890?pwd=Q1w2E3r4T5y6U7i8O9p0", False),
        ("https://docs.google.com/document/d/1aBcD2eFgH3iJkL4mNoP5qRsT6uVwX7yZ8/edit", False),
        ("https://e.example/a?uid=jan7", True),
        ("https://e.example/AbC123xyz987QqW/a", True),
        ("https://e.example/c/1071579/4531494/x.html", True),
        ("https://e.example/out?u=https://b.example/", False),
        ("https://e.example/2026/11/een-lange-titel-van-een-artikel-12345", False),
        ("https://e.example/a?page=2", False),
        ("https://e.example?$jMjczYkNmKxWKLwEaMcqJrvSz", True),
        ("https://t.e.example/c/?t=2576b24-m-9w8f0-f85q", True),
        ("https://e.example/a?t=2576b24-m-9w8f0-f85q", False),
        ("https://e.example/click?to=winter-sale", False),
        ("https://e.example/c/a1b2c3/d4e5f6", True),
        ("https://e.example/blog/a1b2c3/d4e5f6", False),
        ("https://e.example/click/?f=12345&l=67890", True),
        ("https://e.example/out/summer2026", False),
    ],
)
def test_what_looks_individual_is_reported_wherever_links_are_cleaned(value: str, expected: bool) -> None:
    assert ("tracked-link" in kinds(value, Rules(FACTS))) is expected


def test_that_several_people_get_one_mail_makes_no_link_in_it_common() -> None:
    value = "https://e.example/z?k=AbC123xyz987"
    compared = Compared({value: Verdict(Sameness.COMMON)})
    assert kinds(value, Rules(FACTS, compared=compared)) == []
    assert kinds(value, Rules(FACTS, compared=compared, several=True)) == ["tracked-link"]


def test_beyond_many_addresses_links_are_left_and_reported() -> None:
    rules = Rules(FACTS)
    for number in range(MOST):
        clean(b"https://e.example/?utm_source=%d" % number, rules, markup=False)
    assert kinds("https://e.example/?utm_source=x", rules) == ["tracked-link"]
    assert kinds("https://e.example/?utm_source=1", rules) == ["link-parameter"]
    assert kinds("https://e.example/?utm_source=" + "x" * MAX_ADDRESS, Rules(FACTS)) == ["tracked-link"]


@given(st.text("abcz019-._/ABC?=&%", max_size=60))
def test_the_quick_test_never_passes_what_would_be_found(path: str) -> None:
    rules, address = Rules(FACTS), f"https://e.example/{path}"
    if plain(address, rules):
        assert kinds(address, rules) == []


def test_a_page_by_id_loses_its_parameters_and_is_reported_when_copies_differ() -> None:
    page = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert after(f"{page}&amp;utm_source=x") == page
    compared = Compared({page: Verdict(Sameness.INDIVIDUAL)})
    assert kinds(page, Rules(FACTS, compared=compared)) == ["tracked-link"]
