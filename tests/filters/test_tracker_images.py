from __future__ import annotations

import pytest

from gateway.compared import Sameness, Verdict
from gateway.config.trackers import Trackers
from gateway.config.weburl import Url, read
from gateway.filters.tracker_images import SIZELESS, Judgement, Look, judge, look_of
from tests.filters.example import FACTS

PLAIN = "https://e.example/img/spacer.gif"
INDIVIDUAL = "https://e.example/o/AbC123xyz987"
SHOWN = Look()


def url(text: str) -> Url:
    found = read(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"width": "1", "height": "1"}, Look(tiny=True, dot=True)),
        ({"width": "3", "height": "3"}, Look(tiny=True, dot=True)),
        ({"width": "1", "height": "9"}, Look(tiny=True)),
        ({"width": "600", "height": "2"}, Look(tiny=True, line=True)),
        ({"width": "600", "height": "3"}, SHOWN),
        ({"width": "600", "style": "width:1px"}, Look(tiny=True)),
        ({"width": "1", "style": "width:600px"}, SHOWN),
        ({"alt": "foto"}, SHOWN),
        ({"alt": " "}, Look(bare=True)),
        ({"style": "color:red"}, Look(bare=True)),
        ({"style": "max-width:100%"}, SHOWN),
        ({"hidden": "", "width": "9"}, Look(hidden=True)),
        ({"style": "width:" + "\\a " * 5000, "width": "9"}, Look(hidden=True)),
    ],
)
def test_size_and_hiding_are_read_from_attributes_and_style(attributes: dict[str, str], expected: Look) -> None:
    assert look_of(attributes, within_hidden=False) == expected


def test_what_stands_in_something_hidden_is_hidden() -> None:
    assert look_of({"width": "9"}, within_hidden=True).hidden


@pytest.mark.parametrize(
    ("address", "look", "expected"),
    [
        (PLAIN, Look(tiny=True), ""),
        (PLAIN, Look(hidden=True), ""),
        (f"{PLAIN}?u=1", Look(tiny=True), "pixel"),
        (INDIVIDUAL, Look(tiny=True), "pixel"),
        (INDIVIDUAL, Look(hidden=True), "hidden"),
        (INDIVIDUAL, SHOWN, ""),
        (INDIVIDUAL, Look(bare=True), "individual"),
        (INDIVIDUAL, SIZELESS, "individual"),
        (f"{INDIVIDUAL}.png", Look(bare=True), ""),
        ("https://e.example/222222/666666", SIZELESS, ""),
        ("https://e.example/?m=jan@example.org", SHOWN, ""),
        ("https://e.example/open/spacer.gif", Look(tiny=True), "pixel"),
        ("https://www.google-analytics.com/a.png", SHOWN, "known-host"),
        ("https://x.list-manage.com/track/open.php?u=1", SHOWN, "known-path"),
        ("https://mcusercontent.com/a1b2c3d4e5f6/x", Look(tiny=True), ""),
        ("https://e.example/a1b2c3d4e5f6/x.png", Look(hidden=True), ""),
        ("https://e.example/a1b2c3d4e5f6/x.png", Look(hidden=True, bare=True), "hidden"),
    ],
)
def test_what_goes_and_what_stays(address: str, look: Look, expected: str) -> None:
    assert judge(address, url(address), look, FACTS).kind == expected


def test_without_facts_size_hiding_and_look_still_decide() -> None:
    assert judge(INDIVIDUAL, url(INDIVIDUAL), Look(tiny=True), Trackers.empty()).kind == "pixel"
    known = "https://www.google-analytics.com/a.png"
    assert judge(known, url(known), SHOWN, Trackers.empty()).kind == ""


def verdict(address: str, look: Look, copies: Verdict, *, reader: str = "") -> Judgement:
    return judge(address, url(address), look, FACTS, copies, reader=reader)


@pytest.mark.parametrize(
    ("address", "look", "copies", "expected"),
    [
        (
            "https://e.example/foto.jpg?k=1",
            SHOWN,
            Verdict(Sameness.INDIVIDUAL, "https://e.example/foto.jpg"),
            "made-common",
        ),
        ("https://e.example/81/foto.jpg", SHOWN, Verdict(Sameness.INDIVIDUAL), "differs"),
        (
            "https://e.example/p.gif?k=1",
            Look(tiny=True),
            Verdict(Sameness.INDIVIDUAL, "https://e.example/p.gif"),
            "pixel",
        ),
        ("https://e.example/81/p.gif", Look(hidden=True), Verdict(Sameness.INDIVIDUAL), "hidden"),
        ("https://mcusercontent.com/81/foto.jpg", SHOWN, Verdict(Sameness.INDIVIDUAL), "differs"),
        (
            "https://www.google-analytics.com/a?k=1",
            SHOWN,
            Verdict(Sameness.INDIVIDUAL, "https://e.example/"),
            "known-host",
        ),
        ("https://e.example/a?k=AbC123xyz987", SHOWN, Verdict(Sameness.COMMON), ""),
        ("https://e.example/foto.jpg?k=AbC123xyz987", SHOWN, Verdict(Sameness.COMMON), ""),
        (INDIVIDUAL, Look(tiny=True), Verdict(Sameness.COMMON), "pixel"),
        ("https://e.example/banner", Look(tiny=True), Verdict(Sameness.COMMON), ""),
        ("https://e.example/wf/open?upn=1", SHOWN, Verdict(Sameness.COMMON), "known-path"),
    ],
)
def test_r059_what_copies_say_counts_before_any_look(address: str, look: Look, copies: Verdict, expected: str) -> None:
    found = verdict(address, look, copies)
    assert found.kind == expected
    assert found.instead == (copies.common if expected == "made-common" else "")


def test_that_several_people_get_one_mail_makes_no_pixel_in_it_common() -> None:
    common = Verdict(Sameness.COMMON)
    assert verdict(INDIVIDUAL, Look(bare=True), common, reader="jan@example.org").kind == ""
    assert verdict(INDIVIDUAL, Look(bare=True), common).kind == "individual"
    assert verdict("https://e.example/track?q=1", Look(bare=True), common).kind == "pixel"


DOT, BARE = Look(tiny=True, dot=True), Look(bare=True)


@pytest.mark.parametrize(
    ("address", "look", "expected"),
    [
        ("https://e.example/p.gif", DOT, "pixel"),
        ("https://e.example/img/2.png", DOT, "pixel"),
        ("https://e.example/pixel.gif", DOT, "pixel"),
        ("https://e.example/pixel.gif", Look(tiny=True, line=True), ""),
        ("https://e.example/pixel.gif", Look(hidden=True, bare=True), "hidden"),
        ("https://e.example/menu.png", Look(hidden=True, bare=True), ""),
        ("https://e.example/clear.gif", DOT, ""),
        ("https://tracker.example/clear.gif", DOT, "pixel"),
        ("https://tracker.example/clear.gif", Look(tiny=True, line=True), ""),
        ("https://tracker.example/clear.gif", Look(tiny=True), ""),
        ("https://tracker.example/pixel.gif", BARE, "pixel"),
        ("https://tracker.example/logo.png", BARE, ""),
        ("https://e.example/pixel.gif", BARE, ""),
        ("https://e.example/pixel.gif?u=1", BARE, "pixel"),
        ("https://e.example/m/1071579/4531494/p.gif", BARE, "pixel"),
        ("https://e.example/m/1071579/4531494/foto.gif", BARE, ""),
        ("https://e.example/track?q=1", BARE, "pixel"),
        ("https://e.example/?do=open&n=7", BARE, "pixel"),
        ("https://e.example/stfopen?tc=1234", BARE, "pixel"),
        ("https://e.example?$jMjczYkNmKxWKLwEaMcqJrvSz", BARE, "individual"),
        ("https://e.example/foto?1712345678", BARE, ""),
        ("https://e.example/css?family=Open+Sans:400", SIZELESS, ""),
        ("https://e.example/open-sans/bold", SIZELESS, ""),
        ("https://e.example/track?q=1", SHOWN, ""),
        ("https://e.example/stat.gif?nl=4821&u=9917", BARE, "pixel"),
        ("https://e.example/stat.gif", BARE, ""),
        ("https://e.example/stat.gif?nl=4821&u=9917", SHOWN, ""),
        ("https://e.example/b.gif?i=48&r=1932", BARE, "pixel"),
        ("https://e.example/o.php?m=12&s=34", BARE, "pixel"),
        ("https://e.example/o.php", BARE, ""),
        ("https://e.example/b.gif", BARE, ""),
        ("https://e.example/uploads/48213/1.jpg", BARE, ""),
        ("https://e.example/read/12/34", BARE, "known-path"),
        ("https://e.example/read/2026/header.png", BARE, ""),
        ("https://e.example/pixel/12/34.png", BARE, "known-path"),
        ("https://e.example/beacon/91823/foto.gif", BARE, "pixel"),
        ("https://e.example/beacon/foto.gif", BARE, ""),
        ("https://e.example/css/482134-991773.css", SIZELESS, "pixel"),
        ("https://e.example/css/mail-2023-482134.css", SIZELESS, ""),
        ("https://e.example/track/9f8a7b6c5d4e/style.css", SIZELESS, "pixel"),
    ],
)
def test_what_shows_nothing_goes_where_its_address_says_what_it_is_for(address: str, look: Look, expected: str) -> None:
    assert judge(address, url(address), look, FACTS).kind == expected


@pytest.mark.parametrize(
    ("address", "look", "expected"),
    [
        ("https://e.example/emails/open.png", SHOWN, ""),
        ("https://e.example/emails/open.png", BARE, "known-path"),
        ("https://e.example/emails/open.png", DOT, "known-path"),
        ("https://e.example/emails/open.png?u=1", SHOWN, "known-path"),
        ("https://e.example/emails/open/AbC123xyz987.png", SHOWN, "known-path"),
        ("https://constantcontact.com/images/p1x1.gif", SHOWN, "known-path"),
        ("https://shop.example/media/e/o/eo_1234567.jpg", SHOWN, ""),
        ("https://shop.example/media/e/o/eo_1234567.jpg", BARE, "known-path"),
        ("https://shop.example/media/e/o/eo_1234567.jpg?u=1", SHOWN, "known-path"),
    ],
)
def test_a_picture_to_be_seen_is_no_tracker_by_a_shape_for_any_host(address: str, look: Look, expected: str) -> None:
    assert judge(address, url(address), look, FACTS).kind == expected


@pytest.mark.parametrize(
    ("address", "instead"),
    [
        ("https://e.example/foto.jpg?w=600&e=AbC123xyz987", "https://e.example/foto.jpg?w=600"),
        ("https://e.example/foto.jpg?e=AbC123xyz987#x", "https://e.example/foto.jpg#x"),
        ("https://e.example/foto.jpg?m=jan%40example.org&w=2", "https://e.example/foto.jpg?w=2"),
        ("https://e.example/foto.jpg?v=1712345678&e=AbC123xyz987", "https://e.example/foto.jpg?v=1712345678"),
        ("https://e.example/foto.jpg?v=1712345678", ""),
        ("https://e.example/foto.jpg?1712345678", ""),
        ("https://e.example/foto.jpg?e=AbC123xyz987&sig=AbC123xyz987", ""),
        ("https://e.example/foto.jpg?w=600&h=400", ""),
        ("https://e.example/foto?e=AbC123xyz987", ""),
        ("https://cdn.example/fit/https://e.example/foto.jpg?e=AbC123xyz987.jpg", ""),
        ("https://cdn.example/3f9a8b7c6d5e4f3a/foto.jpg", ""),
    ],
)
def test_an_individual_value_behind_a_visible_picture_is_cut_and_a_signature_never(address: str, instead: str) -> None:
    assert judge(address, url(address), SHOWN, FACTS) == Judgement("made-common" if instead else "", instead)


def test_a_mail_address_in_a_visible_picture_counts_when_it_is_the_readers() -> None:
    address = "https://e.example/api/avatar?email=jan%40example.org"
    assert verdict(address, SHOWN, Verdict(Sameness.UNKNOWN)).kind == ""
    assert verdict(address, SHOWN, Verdict(Sameness.UNKNOWN), reader="jan@example.org").kind == "individual"
    assert verdict(address, Look(bare=True), Verdict(Sameness.UNKNOWN)).kind == "individual"


@pytest.mark.parametrize(
    "address",
    [
        "https://ci3.googleusercontent.com/meips/AbC=s0-d-e1-ft#https://u1.ct.sendgrid.net/wf/open?upn=1",
        "https://camo.githubusercontent.com/0a1b/" + b"https://www.google-analytics.com/collect".hex(),
        "https://images.weserv.nl/?url=www.google-analytics.com%2Fcollect",
        "https://any.example/fetch?src=https%3A%2F%2Fwww.google-analytics.com%2Fcollect",
    ],
)
def test_what_a_proxy_fetches_is_judged_behind_it(address: str) -> None:
    assert judge(address, url(address), SHOWN, FACTS).kind in ("known-host", "known-path")


def test_a_proxied_picture_of_the_sender_stays() -> None:
    address = "https://ci3.googleusercontent.com/meips/AbC123xyz987=s0-d-e1-ft#https://e.example/foto.jpg"
    assert judge(address, url(address), SHOWN, FACTS).kind == ""
    assert judge(address, url(address), BARE, FACTS).kind == ""
    assert judge(
        address.replace("foto.jpg", "o/AbC123xyz987"), url(address.replace("foto.jpg", "o/AbC123xyz987")), BARE, FACTS
    ).kind


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://ci3.googleusercontent.com/mail-sig/AIorK4x5nkRDCOFJDJAv9aMXdZ0m", True),
        ("https://ci3.googleusercontent.com/other/AIorK4x5nkRDCOFJDJAv9aMXdZ0m", False),
        ("https://docs.google.com/uc?id=0ByI9A2i8ua70WnpqV0JIWVpRS0E", True),
        ("https://docs.google.com/open?id=0ByI9A2i8ua70WnpqV0JIWVpRS0E", False),
    ],
)
def test_what_a_file_store_gives_to_everybody_stays_unless_copies_differ(address: str, kept: bool) -> None:
    assert (judge(address, url(address), BARE, FACTS) == Judgement("")) is kept
    assert judge(address, url(address), BARE, FACTS, Verdict(Sameness.INDIVIDUAL)).kind == "differs"


def test_one_plain_file_that_is_loaded_again_and_again_holds_a_layout_apart() -> None:
    assert judge("https://e.example/b.gif", url("https://e.example/b.gif"), DOT, FACTS).kind == "pixel"
    assert judge("https://e.example/b.gif", url("https://e.example/b.gif"), DOT, FACTS, often=True).kind == ""
    for counted in ("https://e.example/track/b.gif", "https://e.example/b.gif?u=1"):
        assert judge(counted, url(counted), DOT, FACTS, often=True).kind == "pixel"


@pytest.mark.parametrize(
    ("address", "look", "expected"),
    [
        ("https://cdn.example/a1b2c3d4e5f6/spacer.gif", Look(tiny=True), ""),
        ("https://cdn.example/a1b2c3d4e5f6/spacer.gif?u=1", Look(tiny=True), "pixel"),
        ("https://cdn.example/beacon/a1b2c3d4e5f6/spacer.gif", Look(tiny=True), "pixel"),
        ("https://cdn.example/a1b2c3d4e5f6/rand.png", Look(tiny=True, line=True), ""),
        ("https://cdn.example/a1b2c3d4e5f6/rand.png", Look(tiny=True), "pixel"),
        ("https://cdn.example/7f9c65ec-5cfe-4f7e-a53f-c0ce49e9f9fe-v2", Look(bare=True), ""),
        ("https://cdn.example/track/7f9c65ec-5cfe-4f7e-a53f-c0ce49e9f9fe", Look(bare=True), "individual"),
    ],
)
def test_spacers_lines_and_stored_files_stay(address: str, look: Look, expected: str) -> None:
    assert judge(address, url(address), look, FACTS).kind == expected


@pytest.mark.parametrize(
    "style",
    [
        "width:1px",
        "width:.1em",
        "width:0.03cm",
        "width:1e-1px",
        "max-width:1px",
        "height:calc(1px)",
        "width:0",
        "width:0.1vw",
    ],
)
def test_sizes_are_small_in_every_unit(style: str) -> None:
    assert look_of({"style": style, "alt": "x"}, within_hidden=False).tiny


@pytest.mark.parametrize(
    ("width", "height", "tiny"), [("3", "2", True), ("3", "3", True), ("4", "3", False), ("1;", "9", True)]
)
def test_attributes_are_read_as_browsers_read_them(width: str, height: str, tiny: bool) -> None:
    assert look_of({"width": width, "height": height}, within_hidden=False).tiny is tiny


def test_style_sheets_count_and_the_own_style_outweighs_them() -> None:
    sheet = {"width": "1px"}
    assert look_of({}, within_hidden=False, sheet=sheet).tiny
    assert not look_of({"style": "width:600px"}, within_hidden=False, sheet=sheet).tiny
    assert look_of({"style": "width:600px"}, within_hidden=False, sheet={"width": "1px !important"}).tiny
    assert look_of({}, within_hidden=False, sheet={"height": "auto"}).bare
