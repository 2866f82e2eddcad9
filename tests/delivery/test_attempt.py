"""Templates are unpacked once and not all kept; mail that cannot be encrypted on its way does not go its way (S-25)."""

from __future__ import annotations

from pathlib import Path

from gateway.decision import Basis, Classification, Stream
from gateway.delivery.attempt import Templates
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.template import compile, pack
from gateway.spool.protocol import State
from tests.delivery.rig import MAIL, organisation, rig
from tests.delivery.sink import Script, Sink

JAN = "jan@people.example"
DAY = 86400.0
INTAKE = Classification(
    Stream.PERSONAL, basis=Basis.LEGITIMATE_INTEREST, reference="intake-6", sensitive=True
).to_json()
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


async def test_s25_without_starttls_nothing_is_sent_and_the_report_says_encryption_needed(tmp_path: Path) -> None:
    with Sink(Script(hide_starttls=True)) as sink:
        rules = organisation({"port": sink.port, "host": "localhost", "tls": "verify"})
        async with rig(tmp_path, rules) as made:
            await made.put(JAN, marks=INTAKE)
            await made.attempts(1)
            made.turn(5 * DAY)
            await made.empty()
        assert {"AUTH", "MAIL", "DATA"}.isdisjoint(sink.verbs())
    (report,) = [r for r in made.reports if r.action == "failed"]
    assert report.status == "5.7.10"


async def test_s25_sensitive_mail_does_not_take_a_plain_way_even_when_it_is_queued_for_it(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            await made.put(JAN, marks=INTAKE)
            row = await made.row(lambda row: row.state is State.HELD)
        assert sink.mails == []
    assert row.reason == "sensitive-transport: its provider is not reached over authenticated TLS"


async def test_s06_sensitive_mail_is_let_go_of_when_it_has_left_and_other_mail_may_be_kept(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            templates = made.worker._attempt.templates
            ordinary = await made.put(JAN)
            await made.audited(ordinary, "delivered")
            careful = await made.put(JAN, marks=INTAKE)  # held: the sink has no TLS
            await made.audited(careful, "held")
            assert set(templates._kept) == {ordinary}
