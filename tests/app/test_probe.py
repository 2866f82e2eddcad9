"""The probe against the real page, and against pages that are broken in every way that matters."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway.app import probe
from gateway.app.probe import SCOPE, ProbeFailed, needed
from gateway.app.probe_gate import Findings, Gate, place
from gateway.config.organisation import Organisation
from gateway.facts import BlockKind
from gateway.observe import metrics
from gateway.tenant import Tenant
from gateway.web.server import ASGIApp
from tests.app.opt_out_page import bound, desk, served
from tests.house import House, organisation

Told = list[tuple[str, str, Sequence[str]]]


@asynccontextmanager
async def opened(folder: Path, **changes: Any) -> AsyncIterator[House]:
    house = House.open(folder, organisation(**changes))
    try:
        yield house
    finally:
        await house.close()


@asynccontextmanager
async def on_page(folder: Path, page: ASGIApp | None = None, **changes: Any) -> AsyncIterator[House]:
    """A house whose opt-out URL leads to the real page, or to `page`."""
    sock = bound()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with opened(folder, **{"opt_out_url": url, **changes}) as house, served(page or desk(house), sock):
        yield house


def answering(get: int, post: int, kind: bytes = b"text/html; charset=utf-8") -> ASGIApp:
    """A page that says so and stores nothing."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        status = get if scope["method"] == "GET" else post
        headers = [(b"content-type", kind), (b"content-length", b"2"), (b"location", b"/elsewhere")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


async def steps(house: House) -> list[str]:
    said: list[str] = []
    await probe.probe(house.tenant, time.time, lambda step: said.append(step.name))
    return said


async def test_l31_the_probe_uses_a_real_link_and_sees_the_block(tmp_path: Path) -> None:
    async with on_page(tmp_path) as house:
        assert await steps(house) == ["link", "GET", "POST", "block"]
        (facts,) = await house.registry.facts([house.tenant.pseudonyms.nobody()])
        assert [(b.kind, b.scope) for b in facts.blocks] == [(BlockKind.OPT_OUT, SCOPE)]


async def test_l31_probing_again_and_again_leaves_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ago = [2 * 86400.0]
    monkeypatch.setattr("tests.app.opt_out_page.clock", lambda: time.time() - ago[0])
    async with on_page(tmp_path) as house:
        for days in (2, 1, 0):
            ago[0] = days * 86400.0
            await probe.probe(house.tenant, lambda: time.time() - ago[0])
            await house.registry.ingest()
        (facts,) = await house.registry.facts([house.tenant.pseudonyms.nobody()])
        assert ((await house.registry.status())["people"], len(facts.blocks)) == (1, 1)


async def test_l31_two_probes_at_once_take_turns(tmp_path: Path) -> None:
    async def tell(_name: str, _subject: str, _lines: Sequence[str]) -> None:
        return None

    async with on_page(tmp_path) as house:
        found = await asyncio.gather(*(probe.probe_once(house.tenant, tmp_path, tell, time.time) for _ in range(3)))
        assert [f.failures for f in found] == [0, 0, 0]


async def test_l31_the_block_of_an_earlier_probe_proves_nothing(tmp_path: Path) -> None:
    async with on_page(tmp_path) as house:
        await steps(house)
        with pytest.raises(ProbeFailed, match="no decision sees it"):
            await stale(house)


async def stale(house: House) -> None:
    """A page that answers well a day later and stores nothing."""
    sock = bound()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    broken = replace(house.tenant, organisation=house.tenant.organisation.model_copy(update={"opt_out_url": url}))
    async with served(answering(200, 200), sock):
        await probe.probe(broken, lambda: time.time() + 86400)


@pytest.mark.parametrize(
    ("get", "post", "step"),
    [(404, 200, "GET"), (302, 200, "GET"), (500, 200, "GET"), (200, 302, "POST"), (200, 405, "POST"),
     (200, 503, "POST"), (200, 200, "block")],
)  # fmt: skip
async def test_l31_a_page_that_does_not_do_it_is_found_and_named(
    tmp_path: Path, get: int, post: int, step: str
) -> None:
    async with on_page(tmp_path, answering(get, post)) as house:
        with pytest.raises(ProbeFailed) as found:
            await steps(house)
        assert found.value.step == step


async def test_a_page_that_is_no_page_is_found(tmp_path: Path) -> None:
    async with on_page(tmp_path, answering(200, 200, b"application/json")) as house:
        with pytest.raises(ProbeFailed, match="expected the page"):
            await steps(house)


async def test_i9_a_page_that_acts_on_get_is_found(tmp_path: Path) -> None:
    sock = bound()
    async with opened(tmp_path, opt_out_url=f"http://127.0.0.1:{sock.getsockname()[1]}") as house:
        real = desk(house)

        async def eager(scope: Any, receive: Any, send: Any) -> None:
            body = b"List-Unsubscribe=One-Click"

            async def form() -> dict[str, object]:
                return {"type": "http.request", "body": body, "more_body": False}

            async def nowhere(_message: object) -> None:
                return None

            headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"26")]
            await real({**scope, "method": "POST", "headers": headers}, form, nowhere)
            await real(scope, receive, send)

        async with served(eager, sock):
            with pytest.raises(ProbeFailed, match="only a POST may"):
                await steps(house)


async def test_nobody_there_is_found(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and nobody listens, nor can anybody else meanwhile
        async with opened(tmp_path, opt_out_url=f"http://127.0.0.1:{sock.getsockname()[1]}") as house:
            with pytest.raises(ProbeFailed, match="GET: ConnectError"):
                await steps(house)


async def test_the_public_name_is_asked_for_where_the_settings_connect_to(tmp_path: Path) -> None:
    authority, sock = trustme.CA(), bound()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("out.school.example").configure_cert(tls)
    where = {"connect_to": f"127.0.0.1:{sock.getsockname()[1]}", "ca_file": str(tmp_path / "ca.pem")}
    async with opened(tmp_path, probe=where) as house, served(desk(house), sock, tls):
        assert await steps(house) == ["link", "GET", "POST", "block"]
        elsewhere = replace(house.tenant, organisation=organisation(probe=where, opt_out_url="https://other.example"))
        with pytest.raises(ProbeFailed, match="certificate"):
            await probe.probe(elsewhere, time.time)
        system = replace(house.tenant, organisation=organisation(probe={"connect_to": where["connect_to"]}))
        with pytest.raises(ProbeFailed, match="certificate"):
            await probe.probe(system, time.time)


async def test_authorities_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    async with opened(tmp_path, probe={"ca_file": str(tmp_path / "absent.pem")}) as house:
        with pytest.raises(ProbeFailed, match="ca_file"):
            await steps(house)


async def test_l31_two_failures_in_a_row_pause_mail_and_tell_the_owner_and_a_success_ends_it(tmp_path: Path) -> None:
    told: Told = []

    async def tell(name: str, subject: str, lines: Sequence[str]) -> None:
        told.append((name, subject, lines))

    now = 1000.0
    async with on_page(tmp_path, answering(200, 500)) as house:
        found = await probe.probe_once(house.tenant, tmp_path, tell, lambda: now)
        assert (found.failures, told) == (1, [])
        assert Gate(tmp_path, "school", house.tenant.organisation.probe)()
        now += 900
        found = await probe.probe_once(house.tenant, tmp_path, tell, lambda: now)
        assert (found.failures, found.step, len(told)) == (2, "POST", 1)
        assert any("500" in line for line in told[0][2])
        assert not Gate(tmp_path, "school", house.tenant.organisation.probe)()
        now += 900
        await probe.probe_once(house.tenant, tmp_path, tell, lambda: now)
        assert len(told) == 1, "once a day is enough"
        now += 86400
        await probe.probe_once(house.tenant, tmp_path, tell, lambda: now)
        assert len(told) == 2
    async with on_page(tmp_path) as house:
        found = await probe.probe_once(house.tenant, tmp_path, tell, time.time)
        assert (found.failures, found.passed > now) == (0, True)
        assert Gate(tmp_path, "school", house.tenant.organisation.probe)()


def test_l31_what_was_found_is_measured() -> None:
    school = organisation(name="measured")
    value = lambda metric: metric.labels("measured")._value.get()  # noqa: E731
    probe.measure(school, Findings(at=100.0, passed=100.0), 160.0)
    assert [value(m) for m in (metrics.PROBE_OK, metrics.PROBE_AGE, metrics.OPT_OUT_PAUSED)] == [1, 60, 0]
    probe.measure(school, Findings(at=150.0, passed=100.0, failures=2), 170.0)
    assert [value(m) for m in (metrics.PROBE_OK, metrics.PROBE_AGE, metrics.OPT_OUT_PAUSED)] == [0, 70, 1]


def test_a_probe_is_due_every_day_and_sooner_after_a_failure() -> None:
    school = organisation()
    assert probe._due(Findings(), school, 10.0)
    assert not probe._due(Findings(at=1000.0), school, 1000.0 + 86399)
    assert probe._due(Findings(at=1000.0), school, 1000.0 + 86400)
    assert probe._due(Findings(at=1000.0, failures=1), school, 1000.0 + 900)
    assert probe._due(Findings(at=10**9), school, 1000.0), "a clock that was put back puts nothing off"


def test_a_way_that_was_mended_is_probed_at_once() -> None:
    ways: dict[str, object] = {}
    failed = Findings(at=1.0, failures=2)
    assert not probe._mended(ways, organisation(), failed), "as it was when this process began"
    elsewhere = organisation(probe={"connect_to": "127.0.0.1:443"})
    assert probe._mended(ways, elsewhere, failed)
    assert not probe._mended(ways, elsewhere, failed)
    assert not probe._mended(ways, organisation(), Findings(at=1.0)), "nothing was broken"


def test_only_who_promises_a_link_is_probed() -> None:
    assert needed(organisation())
    assert not needed(without_links())


def without_links() -> Organisation:
    return organisation(streams={"personal": {"basis": ["legitimate_interest"], "private": False, "edit": False}})


def test_the_link_refers_to_no_mail_and_to_nobody(tmp_path: Path) -> None:
    house = House.open(tmp_path)
    tenant: Tenant = house.tenant
    url = probe.link(tenant, tenant.pseudonyms.nobody(), 86400.0 * 20000)
    opened_link = tenant.tokens.open(url.rpartition("/")[2])
    assert (opened_link.message, opened_link.day, opened_link.scope) == (0, 20000, SCOPE)
    assert place(tmp_path, "school").name == "school.json"
