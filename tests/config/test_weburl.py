from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.weburl import Url, holds_address, individual, read, shape, static_file, suffixes


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("https://Example.ORG/a/b?c=d#e", "example.org", "/a/b"),
        ("//example.org/a", "example.org", "/a"),
        ("https:\\\\example.org\\a", "example.org", "\\a"),
        ("https:example.org/a", "example.org", "/a"),
        (" \r\nht\ntps://ex\tample.org/a", "example.org", "/a"),
        ("http://user:word@example.org:8080/a", "example.org", "/a"),
        ("http://ex%61mple.org./a", "example.org", "/a"),
        ("https://example.org", "example.org", ""),
    ],
)
def test_addresses_are_read_as_browsers_read_them(text: str, host: str, path: str) -> None:
    url = read(text)
    assert url is not None
    assert (url.host, url.path) == (host, path)


@pytest.mark.parametrize(
    "text", ["cid:logo", "data:image/gif;base64,AA", "mailto:a@example.org", "#top", "img/a.gif", ""]
)
def test_what_loads_nothing_from_elsewhere_is_no_address(text: str) -> None:
    assert read(text) is None


@given(st.text(max_size=200))
def test_reading_never_fails(text: str) -> None:
    url = read("https://" + text)
    if url is not None:
        static_file(url)
        assert len(url.segments) <= 12
        [individual(value) for value in (*url.segments, *(v for _, v in url.parameters))]


@pytest.mark.parametrize(
    "text",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "eyJhbGciOiJIUzI1NiJ9",
        "8123456",
        "a1b2c3d4e5f6a7b8",
        "jan%40example.org",
        "AbCdEfGhIjKlMnOpQrSt",
        "x" * 101,
    ],
)
def test_keys_numbers_and_addresses_look_individual(text: str) -> None:
    assert individual(text)


@pytest.mark.parametrize(
    "text",
    ["spacer.gif", "logo@2x.png", "600x400", "20261122", "header-image_v2.png", "newsletter", "2026", "1x1.gif", ""],
)
def test_words_sizes_dates_and_versions_do_not(text: str) -> None:
    assert not individual(text)


def test_a_mail_address_is_found_and_a_retina_picture_is_none() -> None:
    assert holds_address("/o?e=jan@example.org")
    assert holds_address("/o?e=jan%40example.org&x=1")
    assert not holds_address("/img/logo@2x.png")
    assert not holds_address("/npm/lib@5.3.0/a.css")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://x.example/img/spacer.gif", True),
        ("https://x.example/img/spacer.gif?v=2", True),
        ("https://x.example/spacer.gif?u=81", False),
        ("https://x.example/o/81234567.gif", False),
        ("https://x.example/open", False),
        ("https://x.example/", False),
    ],
)
def test_only_a_plain_file_name_is_static(address: str, expected: bool) -> None:
    url = read(address)
    assert url is not None
    assert static_file(url) is expected


@pytest.mark.parametrize(
    ("pattern", "address", "target"),
    [
        ("example.org/track/open*", "https://a.example.org/track/open.php?u=1", ""),
        ("example.org/track/open*", "https://example.org/track/click", None),
        ("example.org/track", "https://example.org.evil.example/track", None),
        ("/wf/open?upn", "https://x.example/deep/wf/open?upn=1", ""),
        ("/wf/open?upn", "https://x.example/wf/open", None),
        ("/e/o/{id}", "https://x.example/e/o/AbC123xyz987", ""),
        ("/e/o/{id}", "https://x.example/e/o/logo.png", None),
        ("/mo/{id}$", "https://x.example/mo/AbC123xyz987.gif", ""),
        ("/mo/{id}$", "https://x.example/mo/AbC123xyz987/photo.jpg", None),
        ("/o/{n}/{n}$", "https://x.example/o/12/34.gif", ""),
        ("/o/{n}/{n}$", "https://x.example/o/12/34a", None),
        ("/o/{n}/{n}$", "https://x.example/o/12/34/56", None),
        ("example.org/url?q={target}", "https://example.org/url?q=https%3A%2F%2Fb.example%2F", "https://b.example/"),
        ("example.org/l/{target}", "https://example.org/l/https:%2F%2Fb.example/1", "https://b.example"),
        ("/lt.php?l=open", "https://x.example/lt.php?a=b&L=OPEN", ""),
        ("/lt.php?l=open", "https://x.example/lt.php?l=click", None),
        ("/wf/open?upn", "https://x.example/wf/%6Fpen?%75pn=1", ""),
    ],
)
def test_shapes_match_what_they_say(pattern: str, address: str, target: str | None) -> None:
    made, url = shape(pattern), read(address)
    assert url is not None
    starts = range(len(url.segments)) if not made.host else [0]
    found = [made.match(url, at) for at in starts]
    hosted = not made.host or made.host in suffixes(url.host)
    assert next((f for f in found if f is not None and hosted), None) == target


@pytest.mark.parametrize("pattern", ["", "/", "/*/x", "/{id}", "Example.org/x", "example.org/a*b", "/a?{x}", "/a b"])
def test_shapes_that_cannot_be_read_are_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(ValueError, match="shape"):
        shape(pattern)


def test_digits_in_hosts_are_one_sign() -> None:
    assert "list-manage#.com" in suffixes("us3.list-manage12.com")
    assert "list-manage12.com" in suffixes("us3.list-manage12.com")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://3232235777/", "192.168.1.1"),
        ("https://0xc0a80101/", "192.168.1.1"),
        ("https://0300.0250.1.1/", "192.168.1.1"),
        ("https://0xc0.168.257/", "192.168.1.1"),
        ("https://192.168.1.1:81/", "192.168.1.1"),
        ("https://[::ffff:192.168.1.1]/", "192.168.1.1"),
        ("https://[2001:DB8:0:0::1]:81/", "[2001:db8::1]"),
        ("https://[odd]/", "[odd]"),
        ("https://999.1.1.1/", "999.1.1.1"),
        ("https://1.2.3.4.5/", "1.2.3.4.5"),
        ("https://user:pw@E.example:81/", "e.example"),
        ("https://e%2Eexample./", "e.example"),
        ("https://\uff45.example/", "e.example"),
        ("https://e\u3002example/", "e.example"),
        ("https://\xef\xbd\x85.example/", "e.example"),
    ],
)
def test_a_host_is_the_one_a_browser_asks(address: str, host: str) -> None:
    found = read(address)
    assert found is not None
    assert found.host == host


def test_a_shape_finds_what_stands_behind_it_and_in_the_fragment() -> None:
    behind = shape("e.example/v3/{rest}").match(
        Url("e.example", "/v3/__https://b.example/a", "c=1", "", ("v3", "__https:"))
    )
    assert behind == "__https://b.example/a?c=1"
    proxied = read("https://e.example/p/x#https://b.example/a")
    assert proxied is not None
    assert shape("e.example/*#{target}").match(proxied) == "https://b.example/a"
    plain = read("https://e.example/p/x")
    assert plain is not None
    assert shape("e.example/*#{target}").match(plain) is None
    for wrong in ("e.example/{rest}/a", "e.example/#{target}x"):
        with pytest.raises(ValueError, match="as the last"):
            shape(wrong)
