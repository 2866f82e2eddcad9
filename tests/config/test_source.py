"""YAML 1.2 as settings need it: plain data, lines, and nothing clever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.source import Source, read


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = b"a: yes\nb: no\nc: 12:30\nd: 2018-05-25\ne: 012\nf: true\ng: ~\nh: 1.5\ni: 0x10\nj: '1'\nk: on\n"
    assert read("f", text).data == {
        "a": "yes",
        "b": "no",
        "c": "12:30",
        "d": "2018-05-25",
        "e": 12,
        "f": True,
        "g": None,
        "h": 1.5,
        "i": 16,
        "j": "1",
        "k": "on",
    }


def test_every_key_and_item_has_its_line() -> None:
    source = read("f", b"# head\na:\n  - b: 1\n    c: 2\n  - {d: 3}\n")
    assert source.line(("a",)) == 2
    assert source.line(("a", 0, "c")) == 4
    assert source.line(("a", 1, "d")) == 5
    assert source.line(("a", 1, "missing")) == 5
    assert source.line(("elsewhere",)) == 2, "the beginning of the settings"


def test_list_items_are_called_by_their_name() -> None:
    source = read("f", b"clients:\n  - {name: shop, port: 1}\n  - {port: 2}\n  - {domain: example.org}\n")
    assert source.dotted(("clients", 0, "port")) == "clients.shop.port"
    assert source.dotted(("clients", 1, "port")) == "clients.1.port"
    assert source.dotted(("clients", 2)) == "clients.example.org"
    assert source.complain(("clients", 1, "port"), "is 2") == "f:3: clients.1.port: is 2"


@pytest.mark.parametrize("octets", [b"\xef\xbb\xbfa: 1\n", "a: 1\n".encode("utf-16"), b"\xfe\xff\x00a"])
def test_a_byte_order_mark_is_an_error(octets: bytes) -> None:
    source = read("f", octets)
    assert source.data is None
    assert "byte order mark" in source.errors[0]


def test_another_encoding_is_an_error_with_its_line() -> None:
    assert read("f", "a: 1\nb: é\n".encode("latin-1")).errors == (
        "f:2: not UTF-8, expected UTF-8 without byte order mark",
    )


def test_a_character_that_yaml_forbids_is_an_error_with_its_line() -> None:
    assert read("f", b"a: 1\nb: \x07\n").errors[0].startswith("f:2: not YAML")


def test_aliases_that_would_grow_without_limit_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    source = read("f", "\n".join(lines).encode())
    assert "alias" in source.errors[0]


def test_a_list_at_the_top_is_left_to_the_model() -> None:
    assert read("f", b"- 1\n").data == [1]


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet="ab:-[]{}&*!|>'\"#%@,?\n\t ~<", max_size=60).map(str.encode),
        st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
def test_whatever_the_file_holds_there_is_data_or_an_error(octets: bytes) -> None:
    source = read("f", octets)
    assert isinstance(source, Source)
    assert source.data is not None or source.errors or octets.strip()
    assert all(error.startswith("f:") for error in source.errors)


@pytest.mark.parametrize("octets", [b"a: " + b"9" * 10_000, b"[" * 500, b"a: " + b"[" * 50 + b"]" * 50])
def test_what_is_too_large_or_too_deep_is_an_error(octets: bytes) -> None:
    assert read("f", octets).errors
