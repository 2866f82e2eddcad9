"""The opt-out page over real HTTP, with a real journal on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.facts import Scope, ScopeKind
from gateway.registry.journal import Journal
from gateway.token import OptOut
from gateway.web.recording import Recorder
from tests.web.house import House, open_house

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as running:
        yield running


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_nothing_but_post_changes_anything(house: House, method: str) -> None:
    for path in ("", "/", "?lang=en", "?List-Unsubscribe=One-Click&opt-out=yes"):
        httpx.request(method, house.link() + path)
    assert house.records() == []


def test_the_page_shows_one_button_and_loads_nothing_from_elsewhere(house: House) -> None:
    page = httpx.get(house.link(), headers={"Accept-Language": "nl"})
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert "<script" not in page.text
    assert "Nieuws &amp; meer &lt;vandaag&gt;" in page.text
    loaded = [part.split('"')[0] for part in page.text.split(' src="')[1:] + page.text.split('stylesheet" href="')[1:]]
    assert loaded == ["/style.css"]


@pytest.mark.parametrize(
    ("accept", "query", "heading"),
    [("nl-NL,nl;q=0.9", "", "Wil je je afmelden?"), ("en", "", "Do you want to unsubscribe?"), ("fr", "", "Wil je je"),
     ("nl", "?lang=en", "Do you want")],
)  # fmt: skip
def test_the_page_speaks_dutch_and_english(house: House, accept: str, query: str, heading: str) -> None:
    assert heading in httpx.get(house.link() + query, headers={"Accept-Language": accept}).text


def test_one_click_stores_the_opt_out_of_that_list_and_answers_without_redirect(house: House) -> None:
    answer = httpx.post(house.link(), data=ONE_CLICK)
    assert (answer.status_code, answer.headers.get("location")) == (200, None)
    (record,) = house.records()
    assert record.pseudonym == b"p" * 32
    assert record.scope == Scope(ScopeKind.LIST, 7)


def test_one_click_works_as_multipart_and_with_a_slash_behind(house: House) -> None:
    body = b'--"--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--"--x--\r\n'
    body = body.replace(b'"', b"")
    answer = httpx.post(house.link() + "/", content=body, headers={"Content-Type": "multipart/form-data; boundary=--x"})
    assert answer.status_code == 200
    assert len(house.records()) == 1


def test_one_click_needs_and_sets_no_cookie_and_ignores_those_sent(house: House) -> None:
    answer = httpx.post(house.link(), data=ONE_CLICK, headers={"Cookie": "session=1", "Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"List-Unsubscribe":"One-Click"}', "application/json"),
        (b"", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=Two-Click", "application/x-www-form-urlencoded"),
        (b"x" * 200_000, "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"\x00\xff--broken", "multipart/form-data; boundary=y"),
    ],
)
def test_a_body_that_is_no_opt_out_changes_nothing(house: House, content: bytes, kind: str) -> None:
    answer = httpx.post(house.link(), content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert house.records() == []


def test_the_button_opts_out_and_gives_a_receipt(house: House) -> None:
    answer = httpx.post(house.link(), data={"opt-out": "yes"}, headers={"Accept-Language": "nl"})
    assert "Je bent afgemeld" in answer.text
    assert "<code>" in answer.text
    assert len(house.records()) == 1


def test_the_page_can_stop_all_marketing_but_one_click_never_widens_by_itself(house: House) -> None:
    httpx.post(house.link(), data={"opt-out": "yes", "all": "yes"})
    httpx.post(house.link(), data=ONE_CLICK)
    assert [r.scope.kind for r in house.records()] == [ScopeKind.MARKETING, ScopeKind.LIST]


def test_a_link_of_one_organisation_is_void_at_another(house: House) -> None:
    answer = httpx.post(house.link("alfa", at="beta"), data=ONE_CLICK)
    assert answer.status_code == 404
    assert house.records("alfa") == house.records("beta") == []


def test_i12_a_link_that_names_another_organisation_is_void_even_under_the_right_key(house: House) -> None:
    forged = OptOut(house.numbers["alfa"], b"p" * 32, 0, Scope(ScopeKind.LIST, 7), 20000, 99)
    answer = httpx.post(f"{house.url}/beta/{house.keys['beta'].seal(forged)}", data=ONE_CLICK)
    assert answer.status_code == 404
    assert house.records("alfa") == house.records("beta") == []


def test_every_flipped_bit_makes_a_link_void(house: House) -> None:
    link = house.link()
    base, token = link.rsplit("/", 1)
    for i in range(0, len(token), 7):
        other = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
        assert httpx.post(f"{base}/{other}", data=ONE_CLICK).status_code == 404
    assert house.records() == []


def test_known_and_unknown_people_get_the_same_answer(house: House) -> None:
    first = httpx.post(house.link(person=b"a" * 32), data=ONE_CLICK)
    again = httpx.post(house.link(person=b"a" * 32), data=ONE_CLICK)
    other = httpx.post(house.link(person=b"b" * 32), data=ONE_CLICK)
    assert first.text == again.text == other.text
    assert first.status_code == again.status_code == other.status_code == 200


async def test_a_burst_of_valid_links_is_stored_completely(house: House) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=20), timeout=120) as client:
        links = [house.link(person=bytes([i % 256, i // 256]) * 16) for i in range(500)]
        answers = await asyncio.gather(*(client.post(link, data=ONE_CLICK) for link in links))
    assert {a.status_code for a in answers} == {200}
    assert len({r.pseudonym for r in house.records()}) == 500


def test_what_cannot_be_stored_is_not_promised(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "append_opt_outs", full)
    answer = httpx.post(house.link(), data=ONE_CLICK)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("path", ["page", "style", "nothing"])
def test_every_answer_keeps_the_visitor_private(house: House, path: str) -> None:
    url = {"page": house.link(), "style": f"{house.url}/style.css", "nothing": f"{house.url}/wp-login.php"}[path]
    headers = httpx.get(url).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "noindex" in headers["x-robots-tag"]
    assert "set-cookie" not in headers


def test_the_200_waits_until_no_older_decision_can_be_on_its_way(tmp_path: Path) -> None:
    events: list[str] = []

    class Slow:
        def append_opt_outs(self, opt_outs: list[OptOut], at: int) -> list[str]:
            events.append("stored")
            return ["r"] * len(opt_outs)

    async def go() -> None:
        loop = asyncio.get_running_loop()
        recorder = Recorder(Slow(), wait=0.05, clock=lambda: 0)
        start = loop.time()
        await recorder.record(OptOut(1, b"p" * 32, 0, Scope(ScopeKind.LIST, 7), 1, 1))
        events.append("answered" if loop.time() - start >= 0.05 else "too early")

    asyncio.run(go())
    assert events == ["stored", "answered"]
