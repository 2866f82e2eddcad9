"""Addresses: what is one, which spellings are one person, and that none prints itself."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import address as address_module
from gateway.address import CANONICAL_VERSION, Address, InvalidAddress

# Frozen: pseudonyms in every registry are made of these bytes. A change here forgets every block ever written.
VECTORS = [
    ("Jan.Jansen+les@Example.NL", "1e:jan.jansen+les@example.nl", "1w:janjansen@example.nl"),
    ("jan@example.nl.", "1e:jan@example.nl", "1w:jan@example.nl"),
    ("jan@münchen.de", "1e:jan@xn--mnchen-3ya.de", "1w:jan@xn--mnchen-3ya.de"),
    ("jan@XN--MNCHEN-3YA.de", "1e:jan@xn--mnchen-3ya.de", "1w:jan@xn--mnchen-3ya.de"),
    ("jan@faß.de", "1e:jan@xn--fa-hia.de", "1w:jan@xn--fa-hia.de"),
    ("weiß@example.org", "1e:weiß@example.org", "1w:weiß@example.org"),
    ("WEISS@example.org", "1e:weiss@example.org", "1w:weiss@example.org"),
    ("cafe\u0301@example.org", "1e:caf\u00e9@example.org", "1w:caf\u00e9@example.org"),
    ("İ@example.org", "1e:İ@example.org", "1w:İ@example.org"),
    ("用户@例え.jp", "1e:用户@xn--r8jz45g.jp", "1w:用户@xn--r8jz45g.jp"),
    ('"Jan Jansen"@example.org', "1e:jan jansen@example.org", "1w:jan jansen@example.org"),
    ('"jan"@example.org', "1e:jan@example.org", "1w:jan@example.org"),
    ('"a\\"b"@example.org', '1e:a"b@example.org', '1w:a"b@example.org'),
    ("jan@[192.0.2.1]", "1e:jan@[192.0.2.1]", "1w:jan@[192.0.2.1]"),
    ("jan@[IPv6:2001:db8::1]", "1e:jan@[ipv6:2001:db8::1]", "1w:jan@[ipv6:2001:db8::1]"),
    ("jan@[IPv6:2001:DB8:0:0::1]", "1e:jan@[ipv6:2001:db8::1]", "1w:jan@[ipv6:2001:db8::1]"),
    ("ΟΔΟΣ@example.org", "1e:οδοσ@example.org", "1w:οδοσ@example.org"),
    ("οδος@example.org", "1e:οδοσ@example.org", "1w:οδοσ@example.org"),
    ("\u212aim@example.org", "1e:kim@example.org", "1w:kim@example.org"),
    ("+les@example.org", "1e:+les@example.org", "1w:+les@example.org"),
    ("Postmaster", "1e:postmaster@", "1w:postmaster@"),
]


@pytest.mark.parametrize(("text", "exact", "wide"), VECTORS)
def test_canonical_forms_of_version_1_never_change(text: str, exact: str, wide: str) -> None:
    address = Address.parse(text)
    assert CANONICAL_VERSION == 1
    assert address.exact() == exact.encode()
    assert address.wide() == wide.encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jan",
        "@example.org",
        "jan@",
        "jan@@example.org",
        "jan jansen@example.org",
        " jan@example.org",
        "<jan@example.org>",
        "jan@example.org, piet@example.org",
        "jan..jansen@example.org",
        "jan@example..org",
        "jan@-example.org",
        "jan@exa\u200dmple.org",
        "jan@example.org\r\nBcc: piet@example.org",
        "jan\0@example.org",
        "\udce9@example.org",
        "jan@\udce9.org",
        "x" * 400 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidAddress) as error:
        Address.parse(text)
    assert "jan" not in str(error.value)


def test_the_spelling_is_kept_for_the_wire() -> None:
    assert Address.parse("Jan.Jansen@Example.ORG").reveal() == "Jan.Jansen@Example.ORG"
    assert Address.parse("PostMaster").reveal() == "PostMaster"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>40}".format, "{!r}".format])
def test_an_address_never_prints_itself(show: object) -> None:
    address = Address.parse("secret@hidden.example")
    shown = show(address)  # type: ignore[operator]
    assert "secret" not in shown
    assert "hidden" not in shown
    assert "person-" in shown


def test_an_address_inside_another_value_does_not_print_itself() -> None:
    @dataclasses.dataclass
    class Outer:
        inner: Address

    assert "hidden" not in repr(Outer(Address.parse("secret@hidden.example")))
    assert "hidden" not in repr([Address.parse("secret@hidden.example")])


def test_two_spellings_of_one_person_print_the_same_mark() -> None:
    assert str(Address.parse("JAN@example.org")) == str(Address.parse("jan@EXAMPLE.org"))
    assert str(Address.parse("jan@example.org")) != str(Address.parse("piet@example.org"))


@pytest.mark.parametrize(
    ("text", "postmaster"),
    [("postmaster", True), ("POSTMASTER@example.org", True), ("postmaster2@example.org", False)],
)
def test_postmaster_in_any_case_with_or_without_domain(text: str, postmaster: bool) -> None:
    assert Address.parse(text).is_postmaster is postmaster


def test_smtputf8_is_needed_for_any_non_ascii_part() -> None:
    assert Address.parse("jan@example.org").ascii_only
    assert not Address.parse("jan@münchen.de").ascii_only
    assert not Address.parse("jän@example.org").ascii_only


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60) | st.text('aA.+"\\@[]é\u0301ß\ud800', max_size=20).map(lambda t: f"{t}@example.org"))
def test_parsing_gives_an_address_or_its_own_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except InvalidAddress:
        return
    assert address.reveal() == text
    assert address.exact().startswith(b"1e:")
    assert address.wide().startswith(b"1w:")


local_parts = st.text("abcXYZ019._+-éÉ", min_size=1, max_size=12)


@settings(deadline=None, max_examples=300)
@given(local_parts)
def test_case_and_unicode_form_make_no_other_person(local: str) -> None:
    try:
        address = Address.parse(f"{local}@example.org")
    except InvalidAddress:
        return
    canonical = address.exact().decode().removeprefix("1e:")
    assert Address.parse(canonical).exact() == address.exact()
    assert Address.parse(f"{local.upper()}@EXAMPLE.org").exact() == address.exact()
    assert Address.parse(f"{local.upper()}@EXAMPLE.org").wide() == address.wide()


_LOCALS = st.text("aZ0.-+_'!#{@\" \\\u212a\u017fé", max_size=9) | st.integers(60, 250).map(lambda n: "l" * n)
_DOMAINS = st.sampled_from(
    [
        *(
            "example.nl",
            "EXAMPLE.nl",
            "example.nl.",
            "münchen.de",
            "xn--mnchen-3ya.de",
            "xn--a.nl",
            "a--b.nl",
            "a_b.nl",
        ),
        *("x.local", "localhost", "a.invalid", "a.test", "a.onion", "1.2.3.4", "[192.0.2.1]", "a.1b", "-a.nl", "a-.nl"),
        *("x" * 63 + ".nl", "x" * 64 + ".nl", ("x" * 50 + ".") * 4 + "nl", ("x" * 50 + ".") * 5 + "nl", "a..nl", ".nl"),
    ]
) | st.text("aZ0.-_\u212a", max_size=9)


@settings(deadline=None, max_examples=1500)
@given(_LOCALS, _DOMAINS)
def test_the_short_way_for_plain_addresses_says_what_the_long_way_says(local: str, domain: str) -> None:
    found = []
    for parse in (address_module._parse.__wrapped__, address_module._parse_any):
        try:
            address = parse(f"{local}@{domain}")
            found.append((address.local, address.domain))
        except InvalidAddress:
            found.append(None)
    assert found[0] == found[1]
