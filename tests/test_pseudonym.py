"""Pseudonyms: keyed, layered, frozen."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from gateway.address import Address
from gateway.pseudonym import SIZE, Person, Pseudonyms

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
JAN = Address.parse("Jan.Jansen+les@Example.NL")


def test_frozen_vectors() -> None:
    """A change here forgets every block ever written."""
    one, two = Pseudonyms((FIRST,)).person(JAN), Pseudonyms((FIRST, SECOND)).person(JAN)
    assert one.exact.hex() == "6d1cf87923dbe37472419d580280621786fe41f989ab6426e559a9363f310780"
    assert one.wide.hex() == "4ed07fc7a3ce9e00869b031a295fa473bbe878560dc35efedc43473dc5028c75"
    assert two.exact.hex() == "24bfc4243284295fb7051cf6cd6bb8d6cfd277233fe88218e8698051ee2026a8"
    assert (
        Pseudonyms((FIRST,)).check_value().hex() == "b2a61a25eebafa0d9d23eec7d3e1119a44667e44e4e0d7f29f830aed9ade7e7c"
    )


def test_a_pseudonym_is_hmac_sha_256_of_the_canonical_form_and_each_key_a_layer() -> None:
    inner = hmac.new(FIRST, b"1e:jan.jansen+les@example.nl", hashlib.sha256).digest()
    assert Pseudonyms((FIRST,)).person(JAN).exact == inner
    assert Pseudonyms((FIRST, SECOND)).person(JAN).exact == hmac.new(SECOND, inner, hashlib.sha256).digest()


def test_a_pseudonym_of_an_older_layer_is_lifted_to_the_newest() -> None:
    old, new = Pseudonyms((FIRST,)), Pseudonyms((FIRST, SECOND, FIRST))
    assert new.version == 2
    assert new.lift(old.person(JAN).exact, 0) == new.person(JAN).exact
    assert new.lift(new.person(JAN).exact, 2) == new.person(JAN).exact


@pytest.mark.parametrize("layer", [-1, 1, 255])
def test_a_layer_without_a_key_is_an_error_and_not_a_guess(layer: int) -> None:
    with pytest.raises(ValueError, match="layer"):
        Pseudonyms((FIRST,)).lift(bytes(SIZE), layer)


@pytest.mark.parametrize("keys", [(), (b"short",), (FIRST, b"short")])
def test_keys_of_less_than_32_octets_are_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="pseudonym keys"):
        Pseudonyms(keys)


def test_other_keys_make_other_people() -> None:
    assert Pseudonyms((FIRST,)).person(JAN).exact != Pseudonyms((SECOND,)).person(JAN).exact
    assert Pseudonyms((FIRST,)).check_value() != Pseudonyms((SECOND,)).check_value()
    assert Pseudonyms((FIRST,)).check_value() != Pseudonyms((FIRST, SECOND)).check_value()


def test_blocks_are_wide_only_where_the_domain_says_so() -> None:
    wide = Pseudonyms((FIRST,), frozenset({"example.nl"}))
    plain = Address.parse("janjansen@EXAMPLE.nl")
    assert wide.person(JAN).blocking == wide.person(plain).blocking == wide.person(JAN).wide
    assert wide.person(JAN).exact != wide.person(plain).exact
    elsewhere = Address.parse("jan+les@example.org")
    assert wide.person(elsewhere).blocking == wide.person(elsewhere).exact


def test_people_keep_their_order() -> None:
    keys = Pseudonyms((FIRST,))
    others = [JAN, Address.parse("piet@example.org"), JAN]
    assert keys.people(others) == [keys.person(a) for a in others]


def test_a_person_prints_as_the_start_of_a_pseudonym() -> None:
    person = Pseudonyms((FIRST,)).person(JAN)
    assert repr(person) == f"Person({person.exact[:6].hex()})"
    assert isinstance(person, Person)


def test_l31_whom_the_opt_out_is_probed_with_is_always_the_same_and_can_be_nobody() -> None:
    keys = Pseudonyms((b"k" * 32,), frozenset({"briefgeheim.invalid"}))
    assert keys.nobody() == keys.nobody()
    assert keys.nobody().exact != Pseudonyms((b"j" * 32,)).nobody().exact
    with pytest.raises(ValueError):
        Address.parse("opt-out-probe@briefgeheim.invalid")
