"""The delivery loop on real parts: spool, registry, signer and a scripted provider over sockets."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import trustme

from gateway.decision import Basis, Classification, Stream
from gateway.delivery.report import Report, ReportAction
from gateway.facts import Facts, Purpose, Scope, ScopeKind
from gateway.observe import metrics
from gateway.policy.edition import edition
from gateway.pseudonym import Person
from gateway.registry.protocol import EventKind, Registry, RegistryUnavailable
from gateway.spool import orders, schema
from gateway.spool.orders import Act, Order
from gateway.spool.protocol import State
from tests.delivery.rig import MAIL, START, organisation, rig, settings, signer
from tests.delivery.sink import DROP, STALL, Script, Sink

JAN = "jan@people.example"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
EVERYTHING = Scope(ScopeKind.EVERYTHING)
NEWS = Classification(Stream.NEWSLETTER, basis=Basis.CONSENT, source=1, list=7)


class Slow:
    """A registry whose reads can be made to fail or to take long; the rest is the real one."""

    def __init__(self, real: Registry) -> None:
        self.real = real
        self.away = False
        self.takes: list[float] = []
        """How long the next reads take, in seconds: the event loop's clock goes on by so much."""
        self.reads = 0

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        self.reads += 1
        if self.away:
            raise RegistryUnavailable("away")
        if self.takes:
            loop, took = asyncio.get_running_loop(), self.takes.pop(0)
            loop.time = lambda: time.monotonic() + took  # type: ignore[method-assign]
        return await self.real.facts(people)

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


async def test_a_queued_row_arrives_signed_and_byte_for_byte(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            (row,) = await made.audited(await made.put(JAN), "delivered")
            await made.empty()
        (arrived,) = sink.accepted
    field, body = arrived.content[: -len(MAIL)], arrived.content[-len(MAIL) :]
    assert body == MAIL
    assert field.startswith(b"DKIM-Signature: ")
    assert (arrived.sender, arrived.to) == ("info@school.example", (JAN,))
    assert arrived.faults == ()
    assert row.detail["rule"] == "basis"
    assert (row.detail["signed"], row.detail["provider"]) == ("school.example", "p0")
    assert "people.example" not in str(row)


class TestABlockHolds:
    """I-2: from the opt-out on, no transaction to that person starts."""

    async def test_for_what_is_queued(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port}), running=False) as made:
                message = await made.put(JAN)
                await made.record(EventKind.ERASURE, JAN)
                task = asyncio.ensure_future(made.worker.run())
                (row,) = await made.audited(message, "blocked")
                await made.empty()
                await made.worker.drain(1)
                await task
            assert sink.mails == []
        assert row.detail["action"] == "refuse"
        (report,) = made.reports
        assert (report.action, report.status) == (ReportAction.FAILED, "5.7.1")
        assert str(report.submitter) != "info@school.example"
        assert report.submitter.reveal() == "info@school.example"

    async def test_for_what_waits_for_a_retry(self, tmp_path: Path) -> None:
        with Sink(Script(rcpt=["450 4.2.0 later"])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN)
                await made.attempts(1)
                await made.record(EventKind.ERASURE, JAN)
                made.turn(5 * MINUTE)
                await made.audited(message, "deferred", "blocked")
            assert len(sink.mails) == 1
            assert sink.accepted == []

    async def test_for_what_is_held_and_released(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN, state=State.HELD)
                await made.record(EventKind.ERASURE, JAN)
                _order(made.spool.shard.database, Order(made.now, "anna", "looked at", Act.RELEASE, message))
                await made.worker.apply_orders()
                await made.audited(message, "released", "blocked")
            assert sink.mails == []

    async def test_while_the_provider_stalls_before_mail(self, tmp_path: Path) -> None:
        with Sink(Script(ehlo=STALL)) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN)
                await asyncio.to_thread(sink.wait_for, lambda: "EHLO" in sink.verbs())
                await made.record(EventKind.ERASURE, JAN)
                sink.resume()
                await made.audited(message, "blocked")
            assert sink.mails == []

    async def test_while_all_connections_are_busy(self, tmp_path: Path) -> None:
        with Sink(Script(content=STALL)) as sink:
            rules = organisation({"port": sink.port, "max_connections": 1})
            async with rig(tmp_path, rules) as made:
                first = await made.put("first@people.example")
                await asyncio.to_thread(sink.wait_for, lambda: len(sink.transactions) == 1)
                message = await made.put(JAN)
                await made.record(EventKind.ERASURE, JAN)
                sink.resume()
                await made.audited(first, "delivered")
                await made.audited(message, "blocked")
            assert len(sink.mails) == 1

    async def test_and_an_old_decision_is_not_used(self, tmp_path: Path) -> None:
        """A read that took longer than L does not count: the facts are read again."""
        slow: list[Slow] = []

        def wrap(registry: Registry) -> Registry:
            slow.append(Slow(registry))
            return slow[0]  # type: ignore[return-value]

        with Sink() as sink:
            rules = organisation({"port": sink.port})
            async with rig(tmp_path, rules, wrap=wrap, delivery=settings(decision_age="60s")) as made:
                slow[0].takes = [61.0]
                await made.audited(await made.put(JAN), "delivered")
            assert slow[0].reads == 2
            assert len(sink.accepted) == 1

    async def test_a_restriction_holds_what_is_queued(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port}), running=False) as made:
                message = await made.put(JAN)
                await made.record(EventKind.RESTRICTION, JAN)
                task = asyncio.ensure_future(made.worker.run())
                await made.audited(message, "held")
                row = await made.row(lambda row: row.state is State.HELD)
                await made.worker.drain(1)
                await task
            assert (sink.mails, made.reports) == ([], [])
        assert row.until == START + 5 * DAY

    async def test_r022_nothing_known_of_the_own_postmaster_stops_its_mail(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port}), running=False) as made:
                own = await made.put(JAN, postmaster=True, edition=[])
                await made.record(EventKind.ERASURE, JAN)
                task = asyncio.ensure_future(made.worker.run())
                await made.audited(own, "delivered")
                await made.worker.drain(1)
                await task
            assert len(sink.accepted) == 1

    async def test_what_newer_rules_demand_and_the_stored_text_lacks_is_held(self, tmp_path: Path) -> None:
        opt_out = {"scope": "list", "header": "one-click", "text": "link"}
        old = organisation({"port": 1})
        now = {**old.model_dump()["streams"]}
        now["newsletter"] = {**now["newsletter"], "opt_out": opt_out, "needs": ()}
        with Sink() as sink:
            new = organisation({"port": sink.port}, streams=now)
            made_by_old = edition(old, old.streams[Stream.NEWSLETTER])
            made_by_new = edition(new, new.streams[Stream.NEWSLETTER])
            async with rig(tmp_path, new) as made:
                marks = {"stream": Stream.NEWSLETTER, "marks": NEWS.to_json()}
                await made.audited(await made.put(JAN, **marks, edition=made_by_new), "delivered")
                await made.audited(await made.put(JAN, **marks, edition=made_by_old), "held")
                row = await made.row(lambda row: row.state is State.HELD)
            assert len(sink.accepted) == 1
        assert row.reason == "made by older rules; it lacks what they demand now: opt-out"
        assert row.until == START + 5 * DAY


def _order(database: Path, order: Order) -> None:
    connection = schema.ordering(database)
    orders.write(connection, order)
    connection.commit()
    connection.close()


TRACKED = {"nl/tracked": MAIL.replace(b"Hello\r\n", b"tracked\r\n"), "nl/untracked": MAIL}


@pytest.mark.parametrize(
    ("stored", "agreed", "expected"),
    [
        ("nl/tracked", True, b"tracked"),
        ("nl/tracked", False, b"Hello"),
        ("nl/untracked", True, b"Hello"),
    ],
)
async def test_a_copy_moves_only_to_an_equal_or_stricter_text(
    tmp_path: Path, stored: str, agreed: bool, expected: bytes
) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            await made.record(EventKind.CONSENT, JAN, scope=Scope(ScopeKind.LIST, 7))
            if agreed:
                await made.record(EventKind.CONSENT, JAN, scope=Scope(ScopeKind.PURPOSE, Purpose.TRACKING))
            message = await made.put(JAN, raw=TRACKED, variant=stored, stream=Stream.NEWSLETTER, marks=NEWS.to_json())
            await made.audited(message, "delivered")
        (arrived,) = sink.accepted
    assert arrived.content.endswith(expected + b"\r\n")
    assert arrived.faults == ()


async def test_a_text_that_was_never_compiled_holds_the_row(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            message = await made.put(JAN, raw={"nl/other": MAIL}, variant="nl/untracked")
            await made.audited(message, "held")
        assert sink.mails == []


async def test_nothing_leaves_while_the_registry_is_away_and_nothing_is_lost(tmp_path: Path) -> None:
    slow: list[Slow] = []

    def wrap(registry: Registry) -> Registry:
        slow.append(Slow(registry))
        return slow[0]  # type: ignore[return-value]

    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port}), wrap=wrap) as made:
            slow[0].away = True
            message = await made.put(JAN)
            row = await made.row(lambda row: row.due > START)
            assert (row.state, row.attempts) == (State.QUEUED, 0)
            assert sink.mails == []
            slow[0].away = False
            made.turn(HOUR)
            await made.audited(message, "delivered")


async def test_a_missing_signing_key_lets_mail_wait_and_never_leave_unsigned(tmp_path: Path) -> None:
    signers: dict[str, object] = {}
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port}), signers=signers) as made:
            message = await made.put(JAN)
            await made.attempts(1)
            assert sink.mails == []
            signers["school.example"] = signer()
            made.turn(5 * MINUTE)
            await made.audited(message, "deferred", "delivered")
            assert sink.accepted[0].content.startswith(b"DKIM-Signature")


async def test_a_signer_that_breaks_is_a_later_attempt_and_says_nothing_of_the_mail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def sign(self, message: bytes, *, now: int, profile: str = "plain") -> bytes:
            raise RuntimeError(f"cannot sign {message!r}")

    before = metrics.FAULTS.labels("delivery")._value.get()
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port}), signers={"school.example": Broken()}) as made:
            message = await made.put(JAN)
            row = await made.attempts(1)
            await made.audited(message, "deferred")
        assert sink.mails == []
    assert row.due == START + 5 * MINUTE
    assert metrics.FAULTS.labels("delivery")._value.get() == before + 1
    assert "Hello" not in "".join(capsys.readouterr())


class TestRetry:
    async def test_attempts_come_at_the_planned_times_and_end_in_a_report(self, tmp_path: Path) -> None:
        with Sink(Script(rcpt="450 4.2.1 mailbox busy")) as sink:
            delivery = settings(retry=["5m", "30m"], give_up="1h", delay_notice="20m")
            async with rig(tmp_path, organisation({"port": sink.port}), delivery=delivery) as made:
                message = await made.put(JAN, orcpt="rfc822;J@people.example", envid="E1")
                dues = [(await made.attempts(1)).due]
                for number in (2, 3):
                    made.turn(dues[-1] - made.now)
                    dues.append((await made.attempts(number)).due)
                made.turn(dues[-1] - made.now)
                await made.audited(message, "deferred", "deferred", "deferred", "deferred", "failed")
                await made.empty()
            assert len(sink.mails) == 4
        assert [due - START for due in dues] == [5 * MINUTE, 35 * MINUTE, 60 * MINUTE]
        assert [(r.action, r.status) for r in made.reports] == [("delayed", "4.2.1"), ("failed", "5.4.7")]
        delayed, failed = made.reports
        assert delayed.at == START + 35 * MINUTE
        assert delayed.retry_until == START + HOUR
        assert (failed.orcpt, failed.envid, failed.headers) == ("rfc822;J@people.example", "E1", "Subject: Hello\r\n")
        assert failed.diagnostic == "smtp; 450 4.2.1 mailbox busy"

    @pytest.mark.parametrize(
        ("script", "status", "person"),
        [
            (Script(rcpt="550 5.1.1 nobody"), "5.1.1", True),
            (Script(content="554 5.6.0 odd"), "5.6.0", False),
            (Script(mail="550 5.7.1 not you"), "5.7.1", False),
        ],
    )
    async def test_a_refusal_is_final_at_once(self, tmp_path: Path, script: Script, status: str, person: bool) -> None:
        with Sink(script) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.audited(await made.put(JAN), "failed")
                await made.empty()
        (report,) = made.reports
        assert (report.action, report.status, report.person) == ("failed", status, person)
        assert report.remote_mta == "127.0.0.1"

    async def test_authentication_trouble_is_the_routes_and_not_the_persons(self, tmp_path: Path) -> None:
        with Sink(Script(content=["550 5.7.26 unauthenticated"])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN)
                await made.attempts(1)
                second = await made.put("piet@people.example")  # while the route rests
                await made.audited(second, "deferred")
                assert len(sink.mails) == 1
                made.turn(5 * MINUTE)
                await made.audited(message, "deferred", "delivered")
                await made.audited(second, "deferred", "delivered")
            assert made.reports == []

    async def test_552_at_rcpt_is_temporary(self, tmp_path: Path) -> None:
        with Sink(Script(rcpt=["552 too many"])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN)
                await made.attempts(1)
                made.turn(5 * MINUTE)
                await made.audited(message, "deferred", "delivered")

    async def test_one_provider_down_holds_up_nobody_elses_mail(self, tmp_path: Path) -> None:
        with Sink(Script(connect=STALL)) as dead, Sink() as other:
            rules = organisation(
                {"port": dead.port, "max_connections": 2},
                {"port": other.port},
                routes=[
                    {"provider": "p0", "streams": ["newsletter"]},
                    {"provider": "p1", "streams": ["personal"]},
                ],
            )
            async with rig(tmp_path, rules) as made:
                for _ in range(20):
                    await made.put(JAN, stream=Stream.NEWSLETTER, marks=NEWS.to_json())
                message = await made.put(JAN)
                await made.audited(message, "delivered")
                await asyncio.to_thread(dead.wait_for, lambda: dead.most_open == 2)
            assert (len(other.accepted), len(dead.accepted), dead.most_open) == (1, 0, 2)

    async def test_a_stream_without_a_route_is_held(self, tmp_path: Path) -> None:
        with Sink() as sink:
            rules = organisation({"port": sink.port}, routes=[{"provider": "p0", "streams": ["newsletter"]}])
            async with rig(tmp_path, rules) as made:
                await made.audited(await made.put(JAN), "held")
            assert sink.connections == 0


class TestReports:
    @pytest.mark.parametrize(("notify", "expected"), [((), 1), (("NEVER",), 0), (("FAILURE",), 1), (("SUCCESS",), 0)])
    async def test_a_failure_is_told_as_notify_says(
        self, tmp_path: Path, notify: tuple[str, ...], expected: int
    ) -> None:
        with Sink(Script(rcpt="550 5.1.1 no")) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.audited(await made.put(JAN, notify=notify), "failed")
                await made.empty()
        assert len(made.reports) == expected

    async def test_the_null_sender_gets_none_and_stays_null(self, tmp_path: Path) -> None:
        with Sink(Script(rcpt="550 5.1.1 no")) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.audited(await made.put(JAN, sender=""), "failed")
                await made.empty()
            assert sink.mails[0][1].startswith("<>")
        assert made.reports == []

    @pytest.mark.parametrize(("offers", "expected"), [((), ["relayed"]), (("DSN",), [])])
    async def test_success_is_handed_on_or_answered_as_relayed(
        self, tmp_path: Path, offers: tuple[str, ...], expected: list[str]
    ) -> None:
        with Sink(Script(offers=offers)) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.audited(await made.put(JAN, notify=("SUCCESS",)), "delivered")
                await made.empty()
            (arrived,) = sink.accepted
            assert arrived.recipient_parameters() == ({"NOTIFY": "SUCCESS"} if offers else {})
        assert [r.action for r in made.reports] == expected

    async def test_copies_of_a_split_carry_nothing_of_the_original_wishes(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.put(JAN, "piet@people.example", notify=("SUCCESS",), envid="E", ret="FULL", orcpt="rfc822;x")
                await made.empty()
            for arrived in sink.accepted:
                assert arrived.recipient_parameters() == {"NOTIFY": "FAILURE", "ORCPT": f"rfc822;{arrived.to[0]}"}
                assert set(arrived.parameters) == {"SIZE"}
        assert made.reports == []

    async def test_a_report_that_cannot_be_stored_keeps_the_row(self, tmp_path: Path) -> None:
        async def broken(_: Report) -> None:
            raise RuntimeError("no room")

        with Sink(Script(rcpt=["550 5.1.1 no", "550 5.1.1 no"])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                made.on_report = broken
                await made.put(JAN)
                assert (await made.attempts(1)).state is State.QUEUED
                made.on_report = None
                made.turn(5 * MINUTE)
                await made.empty()
        assert len(made.reports) == 1


class TestLostReply:
    async def test_a_second_copy_has_the_same_message_id_and_is_counted(self, tmp_path: Path) -> None:
        before = metrics.UNCERTAIN.labels("school")._value.get()
        with Sink(Script(content=[DROP])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN)
                await made.attempts(1)
                made.turn(5 * MINUTE)
                await made.audited(message, "uncertain", "delivered")
            first, second = sink.accepted
        assert first.content[-len(MAIL) :] == second.content[-len(MAIL) :] == MAIL
        assert metrics.UNCERTAIN.labels("school")._value.get() == before + 1

    async def test_a_drop_before_the_dot_is_not_uncertain(self, tmp_path: Path) -> None:
        with Sink(Script(drop_in_data=10)) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN, raw=MAIL + b"x" * 70 + b"\r\n" * 2_000_000)
                await made.audited(message, "deferred")
            assert sink.accepted == []


class TestConnections:
    async def test_one_connection_serves_many_messages(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port, "max_connections": 1})) as made:
                for _ in range(5):
                    await made.put(JAN)
                await made.empty()
            assert (sink.connections, len(sink.accepted)) == (1, 5)

    async def test_no_more_connections_than_the_provider_allows(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port, "max_connections": 3})) as made:
                await made.put(*(f"p{n}@people.example" for n in range(40)))
                await made.empty()
            assert len(sink.accepted) == 40
            assert sink.most_open <= 3

    @pytest.mark.parametrize("after", [DROP, "421 4.4.2 idle"])
    async def test_a_connection_gone_stale_costs_no_attempt(self, tmp_path: Path, after: str) -> None:
        with Sink(Script(after=[after])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.audited(await made.put(JAN), "delivered")
                message = await made.put(JAN)
                (row,) = await made.audited(message, "delivered")
            assert row.detail["attempt"] == 1
            assert sink.connections == 2

    async def test_a_421_at_mail_on_a_kept_connection_is_tried_once_on_a_new_one(self, tmp_path: Path) -> None:
        with Sink(Script(mail=["", "421 4.4.2 too long", ""])) as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.audited(await made.put(JAN), "delivered")
                await made.audited(await made.put(JAN), "delivered")
            assert (sink.connections, len(sink.mails)) == (2, 3)

    async def test_mailmax_is_kept(self, tmp_path: Path) -> None:
        with Sink(Script(limits="MAILMAX=2 RCPTMAX=1")) as sink:
            async with rig(tmp_path, organisation({"port": sink.port, "max_connections": 1})) as made:
                await made.put(*(f"p{n}@people.example" for n in range(5)))
                await made.empty()
            assert (sink.connections, len(sink.accepted)) == (3, 5)
            assert {len(t.recipients) for t in sink.accepted} == {1}


EIGHT = MAIL + "caf\u00e9\r\n".encode()


@pytest.mark.parametrize(
    ("script", "to", "raw", "status"),
    [
        (Script(size=200), JAN, MAIL + b"x\r\n" * 500, "5.3.4"),
        (Script(offers=("PIPELINING", "8BITMIME")), "jos\u00e9@people.example", MAIL, "5.6.7"),
        (Script(offers=("PIPELINING",)), JAN, EIGHT, "5.6.3"),
        (Script(offers=("8BITMIME",)), JAN, EIGHT.replace(b"t: Hello", "t: caf\u00e9".encode()), "5.6.9"),
    ],
)
async def test_what_the_hop_cannot_take_fails_without_being_sent(
    tmp_path: Path, script: Script, to: str, raw: bytes, status: str
) -> None:
    with Sink(script) as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            await made.audited(await made.put(to, raw=raw), "failed")
            await made.empty()
        assert sink.mails == []
    assert [r.status for r in made.reports] == [status]


async def test_eight_bit_and_utf8_go_as_they_are_where_the_hop_takes_them(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            await made.audited(await made.put("jos\u00e9@people.example", raw=EIGHT), "delivered")
        (arrived,) = sink.accepted
    assert arrived.content.endswith(EIGHT)
    assert {"BODY": "8BITMIME", "SMTPUTF8": ""}.items() <= arrived.parameters.items()
    assert arrived.faults == ()


class TestHold:
    async def test_a_hold_past_its_end_fails_and_the_submitter_hears_it(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN, state=State.HELD, until=START + 5 * DAY)
                await made.worker.expire_holds()
                assert len(await made.spool.entries()) == 1
                made.now += 5 * DAY
                await made.worker.expire_holds()
                await made.audited(message, "failed")
            assert sink.mails == []
        (report,) = made.reports
        assert (report.action, report.status) == ("failed", "5.4.7")

    async def test_a_hold_without_an_end_stays(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                await made.put(JAN, state=State.HELD)
                made.now += 50 * DAY
                await made.worker.expire_holds()
                assert [r.state for r in await made.spool.entries()] == [State.HELD]
        assert made.reports == []

    async def test_an_operators_order_is_carried_out_within_the_second(self, tmp_path: Path) -> None:
        with Sink() as sink:
            async with rig(tmp_path, organisation({"port": sink.port})) as made:
                message = await made.put(JAN, state=State.HELD)
                _order(made.spool.shard.database, Order(made.now, "anna", "looked at", Act.RELEASE, message))
                released, _ = await made.audited(message, "released", "delivered")
            assert released.detail["operator"] == "anna"


class TestDrain:
    async def test_what_is_on_its_way_is_finished_and_the_rest_stays_queued(self, tmp_path: Path) -> None:
        with Sink(Script(content=STALL)) as sink:
            async with rig(tmp_path, organisation({"port": sink.port, "max_connections": 1})) as made:
                await made.put(*(f"p{n}@people.example" for n in range(10)))
                await asyncio.to_thread(sink.wait_for, lambda: len(sink.transactions) == 1)
                threading.Timer(0.1, sink.resume).start()
                assert await made.worker.drain(120) == 0
                rows = await made.spool.entries()
            assert len(sink.accepted) == 1
        assert sum(r.state is State.QUEUED for r in rows) == 9

    async def test_what_does_not_end_in_time_is_cut_off_and_uncertain_afterwards(self, tmp_path: Path) -> None:
        with Sink(Script(content=STALL)) as sink:
            rules = organisation({"port": sink.port})
            async with rig(tmp_path, rules) as made:
                await made.put(JAN)
                await asyncio.to_thread(sink.wait_for, lambda: len(sink.transactions) == 1)
                assert await made.worker.drain(0.05) == 1
            async with rig(tmp_path, rules, running=False) as again:
                (row,) = await again.spool.entries()
                assert (row.attempts, again.spool.uncertain_at_open) == (1, 1)


async def test_a_certificate_that_does_not_verify_leaves_mail_queued_and_the_password_unsaid(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    provider = {"host": "localhost", "tls": "verify", "ca_file": str(tmp_path / "ca.pem")}
    with Sink(Script(tls=context, logins={"user": "secret"}, auth_before_tls=True)) as sink:
        rules = organisation({**provider, "port": sink.port, "username": "user", "secret": "s"})
        async with rig(tmp_path, rules, passwords={"s": "secret"}) as made:
            await made.put(JAN)
            row = await made.attempts(1)
        assert (row.state, row.reason) == (State.QUEUED, "tls")
        assert {"AUTH", "MAIL"}.isdisjoint(sink.verbs())


async def test_settings_that_miss_a_file_are_a_later_attempt_and_not_the_end_of_the_loop(tmp_path: Path) -> None:
    with Sink() as sink:
        rules = organisation(
            {"port": sink.port, "tls": "verify", "ca_file": "/nowhere.pem"},
            {"port": sink.port},
            routes=[{"provider": "p0", "streams": ["newsletter"]}, {"provider": "p1"}],
        )
        async with rig(tmp_path, rules) as made:
            broken = await made.put(JAN, stream=Stream.NEWSLETTER, marks=NEWS.to_json())
            await made.row(lambda row: row.attempts == 1)
            await made.audited(await made.put(JAN), "delivered")
            assert broken in {row.message for row in await made.spool.entries()}


async def test_reload_uses_the_new_rules_for_what_is_queued(tmp_path: Path) -> None:
    with Sink() as old, Sink() as new:
        async with rig(tmp_path, organisation({"port": old.port})) as made:
            await made.audited(await made.put(JAN), "delivered")
            made.house.organisation = organisation({"port": new.port})
            made.worker.reload({"school": made.house})
            await made.audited(await made.put(JAN), "delivered")
        assert (len(old.accepted), len(new.accepted)) == (1, 1)
