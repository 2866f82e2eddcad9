"""S-25: mail that cannot be encrypted on its way does not go its way, and its sender hears why."""

from __future__ import annotations

from pathlib import Path

from gateway.decision import Basis, Classification, Stream
from gateway.spool.protocol import State
from tests.delivery.rig import organisation, rig
from tests.delivery.sink import Script, Sink

JAN = "jan@people.example"
DAY = 86400.0
INTAKE = Classification(
    Stream.PERSONAL, basis=Basis.LEGITIMATE_INTEREST, reference="intake-6", sensitive=True
).to_json()


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
