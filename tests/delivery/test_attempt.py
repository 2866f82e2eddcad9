"""The templates of one message are unpacked once, and not all messages at once."""

from __future__ import annotations

from gateway.delivery.attempt import Templates
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.template import compile, pack
from tests.delivery.rig import MAIL

BODY = pack({"nl/untracked": compile(Draft(parse(MAIL)), seven_bit=False)})


def test_rows_of_one_message_share_its_templates() -> None:
    kept = Templates()
    assert kept.of("a", BODY) is kept.of("a", b"not looked at again")
    assert kept.of("a", BODY)["nl/untracked"].render({}) == MAIL


def test_what_is_kept_is_bounded() -> None:
    kept = Templates(limit=2 * len(BODY))
    first = kept.of("a", BODY)
    for name in "bc":
        kept.of(name, BODY)
    assert kept.of("a", BODY) is not first


def test_one_message_over_the_bound_is_still_kept_while_it_is_the_newest() -> None:
    kept = Templates(limit=1)
    assert kept.of("a", BODY) is kept.of("a", BODY)


def test_a_message_can_be_let_go_at_once() -> None:
    kept = Templates()
    first = kept.of("a", BODY)
    kept.forget("a")
    kept.forget("a")
    assert kept.of("a", BODY) is not first
