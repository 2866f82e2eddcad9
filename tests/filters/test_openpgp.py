"""Session keys of OpenPGP messages are counted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.ber import Unreadable
from gateway.filters.openpgp import keys
from tests.filters.sealed import ENCRYPTED, armoured, old_pkesk, pkesk

A, B, C = b"A" * 8, b"B" * 8, b"C" * 8


@pytest.mark.parametrize(
    ("packets", "count"),
    [
        (pkesk(A), 1),
        (pkesk(A) + pkesk(B) + pkesk(C), 3),
        (old_pkesk(A) + old_pkesk(B), 2),
        (pkesk(A) + pkesk(A), 1),  # twice for one key
        (pkesk(bytes(8)) + pkesk(bytes(8)), 0),  # hidden recipients
        (pkesk(A * 4, 6) + pkesk(B * 4, 6), 2),
        (pkesk(b"", 6) + pkesk(A * 4, 6), 1),
        (b"\xca\x03PGP" + pkesk(A) + pkesk(B), 2),  # marker
        (b"\xc3\x04xxxx", 0),  # a password
        (b"\xc3\x04xxxx" + pkesk(A) + pkesk(B), 2),
        (b"\xd5\xff\0\0\0\3xxx" + pkesk(A), 1),  # padding, five-octet length
        (b"\x84\x82" + b"\3" + A + b"x" * 121, 1),  # old format, one-octet length
        (b"\x86\0\0\0\x82" + b"\3" + A + b"x" * 121, 1),  # and four
        (pkesk(A, 9), 1),  # a version nobody knows is somebody's
    ],
)
def test_r047_keys_of_both_packet_formats(packets: bytes, count: int) -> None:
    assert keys(packets + ENCRYPTED, most=9) == count
    assert keys(armoured(packets + ENCRYPTED).encode(), most=9) == count
    assert keys(b"hello\n\n" * 2000 + armoured(packets + ENCRYPTED).replace("\n", "\r\n").encode(), most=9) == count


def test_counting_ends_at_the_most_that_matters() -> None:
    assert keys(pkesk(A) + pkesk(B) + b"no packet", most=2) == 2


@pytest.mark.parametrize("packets", [b"\xc8\x03abc", b"\xc4\x0dxxxxxxxxxxxxx", b"\x90\x0dxxxxxxxxxxxxx"])
def test_what_is_only_signed_is_for_no_key(packets: bytes) -> None:
    assert keys(packets, most=2) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        pkesk(A),
        pkesk(A)[:-1],
        b"\xc6\x03key",
        b"\xc1",
        b"\x85\x01",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    ],
)
def test_what_is_no_message_or_is_cut_off_is_said(data: bytes) -> None:
    with pytest.raises(Unreadable):
        keys(data, most=2)


@pytest.mark.needs("gpg")
@pytest.mark.parametrize("armour", [True, False])
def test_r047_what_gnupg_writes(tmp_path: Path, armour: bool) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(tmp_path / "home"), "--batch", "--passphrase", "", "--trust-model", "always"]
    names = ["anna@example.org", "bert@example.org"]
    for name in names:
        subprocess.run([*gpg, "--quick-gen-key", name, "future-default", "default"], check=True, capture_output=True)

    def encrypted(*options: str) -> bytes:
        line = [*gpg, *(["--armor"] if armour else []), *options, "--encrypt"]
        return subprocess.run(line, input=b"hello", check=True, capture_output=True).stdout

    assert keys(encrypted("-r", names[0]), most=9) == 1
    assert keys(encrypted("-r", names[0], "-r", names[1]), most=9) == 2
    assert keys(encrypted("-R", names[0], "-R", names[1]), most=9) == 0


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300), st.booleans())
def test_any_octets_are_counted_or_said_to_be_unreadable(data: bytes, armour: bool) -> None:
    try:
        assert 0 <= keys(armoured(data).encode() if armour else data, most=3) <= 3
    except Unreadable:
        pass
