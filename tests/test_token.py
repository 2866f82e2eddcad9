"""Opt-out tokens: authenticated, of constant length, good for years."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Scope, ScopeKind
from gateway.token import TOKEN_LENGTH, InvalidToken, OptOut, TokenKeys

KEY, OTHER = bytes(range(64)), bytes(range(1, 65))
KEYS = TokenKeys({1: KEY})
OPT_OUT = OptOut(
    organisation=7,
    pseudonym=bytes(range(100, 132)),
    layer=0,
    scope=Scope(ScopeKind.LIST, 11),
    day=20_454,
    message=0xDEADBEEF,
)
TOKEN = "Ab4BPl-uFSa9TpxpMuheRkDM6mzMxaj9qbmhDo6kqncnDLc5wSgtJcvb3ILKeM-UN-th0mgz4CbblVGmcOnG"


def test_a_token_of_today_is_read_the_same_for_ever() -> None:
    """Frozen: this token stands in mail that people keep for years."""
    assert KEYS.seal(OPT_OUT) == TOKEN
    assert KEYS.open(TOKEN) == OPT_OUT


def test_every_token_has_the_same_length() -> None:
    widest = OptOut(65535, b"\xff" * 32, 255, Scope(ScopeKind.PURPOSE, 2**32 - 1), 65535, 2**32 - 1)
    least = OptOut(0, bytes(32), 0, Scope(ScopeKind.EVERYTHING), 0, 0)
    assert {len(KEYS.seal(o)) for o in (OPT_OUT, widest, least)} == {TOKEN_LENGTH}
    assert KEYS.open(KEYS.seal(widest)) == widest


def test_the_highest_key_signs_and_all_keys_verify() -> None:
    both = TokenKeys({1: KEY, 2: OTHER})
    assert base64.urlsafe_b64decode(both.seal(OPT_OUT))[0] == 2
    assert both.open(TOKEN) == OPT_OUT
    assert both.open(both.seal(OPT_OUT)) == OPT_OUT


def test_a_token_of_another_key_is_void() -> None:
    for keys in (TokenKeys({1: OTHER}), TokenKeys({2: KEY})):
        with pytest.raises(InvalidToken):
            keys.open(TOKEN)


@pytest.mark.parametrize("position", range(TOKEN_LENGTH))
def test_no_character_can_be_changed(position: int) -> None:
    changed = TOKEN[:position] + ("A" if TOKEN[position] != "A" else "B") + TOKEN[position + 1 :]
    with pytest.raises(InvalidToken):
        KEYS.open(changed)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "====",
        f" {TOKEN[1:]}",
        "é" * TOKEN_LENGTH,
        "A" * TOKEN_LENGTH,
        "\0" * 84,
    ],
)
def test_anything_else_is_refused_with_one_and_the_same_error(token: str) -> None:
    with pytest.raises(InvalidToken) as error:
        KEYS.open(token)
    assert str(error.value) == "not a valid token"


def test_one_token_has_one_spelling() -> None:
    with_both = next(t for n in range(1000) if {"-", "_"} <= set(t := KEYS.seal(replace(OPT_OUT, message=n))))
    for other in (with_both.replace("-", "+"), with_both.replace("_", "/")):
        with pytest.raises(InvalidToken):
            KEYS.open(other)


def test_a_token_holds_nothing_that_can_be_read() -> None:
    sealed = base64.urlsafe_b64decode(TOKEN)
    assert OPT_OUT.pseudonym[:8] not in sealed
    assert KEYS.seal(replace(OPT_OUT, message=1))[:20] != TOKEN[:20]


@pytest.mark.parametrize(
    "change",
    [
        {"pseudonym": bytes(31)},
        {"pseudonym": bytes(33)},
        {"organisation": 65536},
        {"layer": 256},
        {"day": 65536},
        {"day": -1},
        {"message": 2**32},
    ],
)
def test_what_does_not_fit_is_an_error_and_never_cut(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(OPT_OUT, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("keys", [{}, {0: KEY}, {256: KEY}, {1: b"short"}])
def test_bad_keys_are_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="token keys"):
        TokenKeys(keys)


opt_outs = st.builds(
    OptOut,
    organisation=st.integers(0, 65535),
    pseudonym=st.binary(min_size=32, max_size=32),
    layer=st.integers(0, 255),
    scope=st.builds(Scope, st.sampled_from(ScopeKind), st.integers(0, 2**32 - 1)),
    day=st.integers(0, 65535),
    message=st.integers(0, 2**32 - 1),
)


@settings(deadline=None)
@given(opt_outs)
def test_what_is_sealed_is_opened(opt_out: OptOut) -> None:
    assert KEYS.open(KEYS.seal(opt_out)) == opt_out


@settings(deadline=None)
@given(st.text(max_size=100) | st.text("ABCabc123-_", min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH))
def test_no_text_opens_by_chance(token: str) -> None:
    with pytest.raises(InvalidToken):
        KEYS.open(token)
