"""The page behind the link: it takes an opt-out from any mail program, and learns nothing about the visitor."""

from __future__ import annotations

import http.client
import re
import urllib.parse
from dataclasses import dataclass

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, arrived, consent, mail, opt_out_url, person, send
from tests.e2e.traces import files

FORM = "application/x-www-form-urlencoded"
VISITOR = "127.77.88.99"  # an address of this machine that nothing else uses


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    text: str


def visit(method: str, url: str, body: bytes = b"", kind: str = "", **headers: str) -> Page:
    """As a browser or mail program at `VISITOR` would; follows nothing."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=180, source_address=(VISITOR, 0))
    try:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path, body or None, fields | ({"Content-Type": kind} if kind else {}))
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Page(answer.status, names, answer.read().decode())
    finally:
        connection.close()


def newsletter(stage: Stage, who: str) -> int:
    return send(stage, "kleine-parel-crm", mail(PAREL, [who], stream="newsletter", list="nieuwsbrief"), [who]).code


def link(stage: Stage) -> tuple[str, str]:
    """A person who gets the newsletter, and the address in it."""
    who = person("bezoeker")
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief")])
    assert newsletter(stage, who) == 250
    return who, opt_out_url(arrived(stage, [who])[0].content)


MULTIPART = (
    b'------Grens\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n------Grens--\r\n'
)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", FORM),
        (b"List-Unsubscribe=One-Click\r\n", FORM),
        (b"List-Unsubscribe=One-Click", f"{FORM}; charset=UTF-8"),
        (MULTIPART, "multipart/form-data; boundary=----Grens"),
        (MULTIPART, 'multipart/form-data; boundary="----Grens"'),
    ],
)
def test_r065_r067_one_click_works_in_both_encodings_and_never_redirects(shared: Stage, body: bytes, kind: str) -> None:
    who, url = link(shared)
    page = visit("POST", url, body, kind)
    assert page.status in (200, 202)
    assert "location" not in page.headers
    assert len(page.text) < 1000
    assert newsletter(shared, who) == 550


def test_r067_a_slash_added_on_the_way_changes_nothing(shared: Stage) -> None:
    who, url = link(shared)
    page = visit("POST", f"{url}/", b"List-Unsubscribe=One-Click", FORM)
    assert (page.status, "location" in page.headers) == (200, False)
    assert newsletter(shared, who) == 550


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"),
        (b"", FORM),
        (b"", ""),
        (b"List-Unsubscribe=one", FORM),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"unsubscribe=yes", FORM),
    ],
)
def test_r065_any_other_body_is_400_and_changes_nothing(shared: Stage, body: bytes, kind: str) -> None:
    who, url = link(shared)
    assert visit("POST", url, body, kind).status == 400
    assert newsletter(shared, who) == 250


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_i9_no_other_method_changes_anything(shared: Stage, method: str) -> None:
    who, url = link(shared)
    for _ in range(20):
        visit(method, url, Accept="image/*", Purpose="prefetch")
    assert newsletter(shared, who) == 250


def test_s05_the_page_needs_no_script_and_loads_nothing_from_elsewhere(shared: Stage) -> None:
    _, url = link(shared)
    asked = visit("GET", url, Accept_Language="nl", Cookie="sessie=1")
    done = visit("POST", url, b"opt-out=yes", FORM)
    void = visit("GET", url[:-4] + "AAAA")
    for page in (asked, done, void):
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "script" not in page.text.lower()
        assert "set-cookie" not in page.headers
        assert page.headers["referrer-policy"] == "no-referrer"
        loaded = re.findall(r'(?:src|href|action)="([^"]*)"', page.text)
        elsewhere = [u for u in loaded if urllib.parse.urlsplit(u).netloc]
        assert set(elsewhere) <= {"https://dekleineparel.nl/privacybeleid"}  # a link to read, not a resource
    assert asked.text.count("<button") == 1
    # The page in the mail program's window knows no more of the visitor than the link: nothing is asked.
    assert re.findall(r"<input[^>]*type=\"(?!hidden|checkbox)", asked.text) == []


def test_s05_neither_visitor_nor_token_stays_in_logs_or_records(shared: Stage) -> None:
    _, url = link(shared)
    token = url.rpartition("/")[2]
    agent = "Proefprogramma-7391"
    headers = {"User_Agent": agent, "X_Forwarded_For": "203.0.113.77", "Referer": "https://webmail.example/inbox?u=jan"}
    visit("GET", url, **headers)
    visit("POST", url, b"List-Unsubscribe=One-Click", FORM, **headers)
    visit("GET", url + "x", **headers)
    for place, kept in [(shared.log, shared.log.read_bytes()), *files(shared.state)]:
        for secret in (VISITOR, "203.0.113.77", agent, "webmail.example", token, token[:24]):
            assert secret.encode() not in kept, f"{secret} in {place}"
    _, metrics = shared.get("observe", "/metrics")
    assert token not in metrics
    assert VISITOR not in metrics
