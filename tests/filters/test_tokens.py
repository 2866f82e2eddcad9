"""Every "@" with a name before and a domain after."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.tokens import tokens

ANNA = b"1e:anna@example.org"


def forms(text: str) -> set[bytes]:
    return {t.address.exact() for t in tokens(text)}


def sure(text: str) -> list[bytes]:
    return [t.address.exact() for t in tokens(text) if t.sure]


@pytest.mark.parametrize(
    "text",
    [
        "anna@example.org",
        "Anna <ANNA@Example.ORG>",
        "mail anna@example.org.",
        "anna@example.org,bert@example.org",
        "(anna@example.org)",
        "'anna@example.org'",
        "**anna@example.org**",
        "_anna@example.org_",
        '"anna"@example.org',
        "mailto:anna@example.org?subject=x",
        "mailto:anna%40example.org",
        "https://x.example/?u=anna@example.org&v=1",
        "https://x.example/?u=anna%40example.org",
        "https://x.example/?u=%61nna%2540example.org",
        "https://x.example/anna@example.org/y",
        "x" * 300 + "/anna@example.org",
        "anna\u200b@exa\u00admple.org",
        "anna\uff20example.org",
        "Name=anna@example.org;",
        "anna@example.org\x00",
        "[anna@example.org]",
        "MAILTO:anna@example.org",
        "cid:anna@example.org",
        "mail anna@example.org.Groet",
        "an\u2060na\u200e@exam\ufe0fple.org",
        "\uff41nna@example\uff0eorg",
        "anna@example\u3002org",
        "anna\ufe6bexample.org",
        "bounce-7+anna=example.org@x.example",
        "SRS0=x=y=example.org=anna@x.example",
        "メールanna@example.orgまで",
        "anna@example.org_",
    ],
)
def test_an_address_is_found_however_it_is_wrapped(text: str) -> None:
    assert ANNA in forms(text)


def test_other_scripts_are_found() -> None:
    assert "1e:jürgen@xn--mnchen-3ya.de".encode() in forms("an jürgen@münchen.de geschickt")
    assert b"1e:jan jansen@example.org" in forms('"Jan Jansen"@example.org')
    assert b"1e:jan@[192.0.2.1]" in forms("jan@[192.0.2.1]")


@pytest.mark.parametrize(
    "text", ["", "@", "anna@", "@example.org", "anna@example", "@media screen", "a @ b.example", "@@"]
)
def test_what_is_no_address_is_not(text: str) -> None:
    assert not forms(text)


@pytest.mark.parametrize("text", ["logo@2x.png", "cid:image001@01DABC.example", "lib@18.2.0", "x@a.b.c.1"])
def test_ids_and_files_are_not_sure(text: str) -> None:
    assert forms(text)
    assert not sure(text)


def test_a_return_path_is_not_sure_of_whom_it_holds() -> None:
    assert ANNA not in sure("bounce-7+anna=example.org@x.example")


def test_one_at_sign_counts_once() -> None:
    assert len(sure("https://x.example/?u='anna@example.org'")) == 1
    assert sure("x anna@mail.example.org.Groet") == [b"1e:anna@mail.example.org.groet"]


@settings(deadline=None, max_examples=300)
@given(st.text('a@.%40&="<>\u200bé\ud800[]1', max_size=80))
def test_never_raises(text: str) -> None:
    for token in tokens(text.encode("utf-8", "replace").decode()):
        token.address.exact()


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30), st.text(max_size=30))
def test_found_between_any_text_that_ends_a_word(before: str, after: str) -> None:
    assert ANNA in forms(f"{before} anna@example.org {after}")
