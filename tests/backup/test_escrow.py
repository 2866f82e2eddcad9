"""Keys in escrow: only the passphrase opens them, and whether they still fit shows without it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.backup import escrow
from gateway.backup.escrow import Difference, EscrowBroken, differences, seal, unseal

PHRASE = "correct horse battery staple"
FILES = {"spool.key": b"1 AAAA\n", "alpha.pseudonym": b"BBBB\n", "alpha.provider.bulk": b"hunter2\n"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escrow, "_COST", 2**4)


def test_what_was_sealed_comes_back_octet_for_octet() -> None:
    assert unseal(seal(FILES, PHRASE), PHRASE) == FILES


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(EscrowBroken):
        unseal(seal(FILES, PHRASE), PHRASE + "s")


def test_nothing_of_a_key_or_password_can_be_read_in_it() -> None:
    sealed = seal(FILES, PHRASE)
    for secret in (b"AAAA", b"BBBB", b"hunter2", PHRASE.encode()):
        assert secret not in sealed
    checks = json.loads(sealed.splitlines()[0])["checks"]
    assert checks["alpha.provider.bulk"] == [], "a password could be guessed from its check value"


def test_two_escrows_of_the_same_keys_share_nothing_secret() -> None:
    one, two = (seal(FILES, PHRASE).splitlines()[1] for _ in range(2))
    assert one != two


@pytest.mark.parametrize("phrase", ["", "short", "fifteen letters"])
def test_a_short_passphrase_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="at least 16"):
        seal(FILES, phrase)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_changed_octet_shows(data: st.DataObject) -> None:
    sealed = bytearray(seal(FILES, PHRASE))
    place = data.draw(st.integers(0, len(sealed) - 2))  # the last one is the line end
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(EscrowBroken):
        unseal(bytes(sealed), PHRASE)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_anything_else_is_not_an_escrow(octets: bytes) -> None:
    for read in (lambda: unseal(octets, PHRASE), lambda: differences(octets, FILES)):
        with pytest.raises(EscrowBroken):
            read()


def test_a_header_that_asks_for_endless_work_is_refused() -> None:
    header, rest = seal(FILES, PHRASE).split(b"\n", 1)
    changed = json.loads(header)
    changed["scrypt"]["n"] = 2**30
    with pytest.raises(EscrowBroken):
        unseal(json.dumps(changed).encode() + b"\n" + rest, PHRASE)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (FILES, []),
        ({**FILES, "alpha.provider.bulk": b"another\n"}, []),
        ({**FILES, "spool.key": b"1 AAAA\n2 CCCC\n"}, [Difference("spool.key", "has a newer key than the escrow")]),
        ({**FILES, "spool.key": b"1 CCCC\n"}, [Difference("spool.key", "holds other keys than the escrow")]),
        ({**FILES, "beta.token": b"1 D\n"}, [Difference("beta.token", "missing in the escrow")]),
        ({"spool.key": FILES["spool.key"]}, [Difference("alpha.provider.bulk", "missing here"),
                                             Difference("alpha.pseudonym", "missing here")]),
    ],
)  # fmt: skip
def test_whether_it_still_fits_shows_without_the_passphrase(now: dict[str, bytes], found: list[Difference]) -> None:
    assert sorted(differences(seal(FILES, PHRASE), now), key=lambda d: d.name) == found
