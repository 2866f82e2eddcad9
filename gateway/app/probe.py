"""The opt-out, used as a mail program would use it, once a day: a link that fails is found before somebody needs it.

what:       `probe` for the command line and `run` for worker 0
takes→gives: settings, keys, registry → steps taken; findings on disk; a log line, metrics, a mail to the owner
knows not:  what mail does with the findings (`probe_gate`)
fails by:   `ProbeFailed` with the step that failed; nothing in `run`
standard:   L-31; RFC 8058 3.1, 3.2; I-2, I-9

The person probed with is nobody: a pseudonym of an address that cannot exist, the same every day, so that there is one
block of it, and the link refers to no mail, so that it counts nowhere.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from gateway.app.probe_gate import Findings, alone, place, switched_off
from gateway.config.check_probe import place as host_and_port
from gateway.config.organisation import Organisation
from gateway.facts import BlockKind, Scope, ScopeKind
from gateway.observe import maillog, metrics
from gateway.pseudonym import Person
from gateway.registry.protocol import Registry, RegistryUnavailable
from gateway.tenant import Tenant
from gateway.token import PROBE, OptOut

SCOPE = Scope(ScopeKind.MARKETING)
_LIMIT = 20.0  # seconds for one answer of the page
_FIRST = 5.0  # seconds after the start until the first probe: the page starts beside us
_LOOK = 2.0
_SKEW = 5  # seconds that the page's clock may be behind
_FORM = {"List-Unsubscribe": "One-Click"}

Tell = Callable[[str, str, Sequence[str]], Awaitable[None]]
"""organisation, subject, lines → a mail to the owner of held mail."""


class ProbeFailed(Exception):
    """`step` did not go as it must."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"{step}: {why}")
        self.step, self.why = step, why


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done and what came of it."""

    name: str
    found: str


def needed(organisation: Organisation) -> bool:
    """Whether any stream carries a link that could be broken."""
    return any(rule.opt_out.scope is not None for rule in organisation.streams.values())


def link(tenant: Tenant, person: Person, now: float) -> str:
    """A real link of `person`, of no mail."""
    opt_out = OptOut(tenant.organisation.id, person.exact, tenant.pseudonyms.version, SCOPE, int(now) // 86400, PROBE)
    base = tenant.organisation.opt_out_url.rstrip("/")
    return f"{base}/{tenant.organisation.name}/{tenant.tokens.seal(opt_out)}"


async def probe(tenant: Tenant, clock: Callable[[], float], say: Callable[[Step], None] = lambda _step: None) -> None:
    """Ask for the page, use the link, and see the block in force. Raises `ProbeFailed`, `RegistryUnavailable`."""
    person, began = tenant.pseudonyms.nobody(), int(clock())
    url = link(tenant, person, began)
    say(Step("link", f"for a person who does not exist, scope {SCOPE}, at {tenant.organisation.opt_out_url}"))
    before = await _blocks(tenant.registry, person)
    async with _page(tenant.organisation) as client:
        await _get(client, url)
        if await _blocks(tenant.registry, person) != before:
            raise ProbeFailed("GET", "looking at the page put a block in force, which only a POST may (I-9)")
        say(Step("GET", "200, and nothing changed"))
        await _post(client, url)
        say(Step("POST", "200, without redirect"))
    if not any(at >= began - _SKEW for at in await _blocks(tenant.registry, person)):
        raise ProbeFailed("block", "the page said that it stored the opt-out, but no decision sees it")
    say(Step("block", "in force for the next decision"))


async def probe_once(tenant: Tenant, state: Path, tell: Tell, clock: Callable[[], float]) -> Findings:
    """One probe with everything that follows from it, but for what is held. Raises `RegistryUnavailable`, `OSError`."""
    name, path, began = tenant.organisation.name, place(state, tenant.organisation.name), time.monotonic()
    before = Findings.read(path)
    try:
        async with alone(state, name):
            await probe(tenant, clock)
    except ProbeFailed as error:
        found = replace(before, at=clock(), failures=before.failures + 1, step=error.step, why=error.why)
        maillog.probe_failed(name, error.step, error.why, found.failures)
        found = await _tell(tenant.organisation, found, tell, clock())
    else:
        found = Findings(at=clock(), passed=clock())
        maillog.probe_passed(name, time.monotonic() - began)
    await asyncio.to_thread(found.write, path)
    return found


async def run(tenants: Callable[[], Mapping[str, Tenant]], state: Path, tell: Tell, clock: Callable[[], float]) -> None:
    """Probe each organisation whenever it is due, and at once when its way to the page was mended; until cancelled."""
    await asyncio.sleep(_FIRST)
    ways: dict[str, object] = {}
    while True:
        for tenant in list(tenants().values()):
            settings = tenant.organisation.probe
            if not settings.run or not needed(tenant.organisation) or switched_off(state):
                continue
            found = Findings.read(place(state, tenant.organisation.name))
            mended = _mended(ways, tenant.organisation, found)
            if mended or _due(found, tenant.organisation, clock()):
                found = await _probed(tenant, state, tell, clock) or found
            measure(tenant.organisation, found, clock())
        await asyncio.sleep(_LOOK)


def measure(organisation: Organisation, found: Findings, now: float) -> None:
    name = organisation.name
    if found.at:
        metrics.PROBE_OK.labels(name).set(0 if found.failures else 1)
    if found.passed:
        metrics.PROBE_AGE.labels(name).set(max(0.0, now - found.passed))
    metrics.OPT_OUT_PAUSED.labels(name).set(1 if found.broken(organisation.probe) else 0)


async def _probed(tenant: Tenant, state: Path, tell: Tell, clock: Callable[[], float]) -> Findings | None:
    """None when the probe itself could not be made: that says nothing about the link."""
    try:
        return await probe_once(tenant, state, tell, clock)
    except (RegistryUnavailable, OSError) as error:
        maillog.trouble("opt-out probe", type(error).__name__)
        await asyncio.sleep(_LOOK)
        return None


def _mended(ways: dict[str, object], organisation: Organisation, found: Findings) -> bool:
    """Whether settings that lead to the page changed since the last look, while it could not be reached."""
    way = (organisation.opt_out_url, organisation.probe)
    before = ways.setdefault(organisation.name, way)
    ways[organisation.name] = way
    return found.failures > 0 and before != way


def _due(found: Findings, organisation: Organisation, now: float) -> bool:
    wait = organisation.probe.again if found.failures else organisation.probe.every
    # A clock that was put back must not put off a probe.
    return not found.at or not 0 <= now - found.at < wait.total_seconds()


async def _tell(organisation: Organisation, found: Findings, tell: Tell, now: float) -> Findings:
    """A mail to the owner when mail stops, and every day while it does."""
    lately = found.told and 0 <= now - found.told < organisation.probe.every.total_seconds()
    if not found.broken(organisation.probe) or lately:
        return found
    await tell(organisation.name, "Afmelden werkt niet / The opt-out does not work", list(_letter(organisation, found)))
    return replace(found, told=now)


def _letter(organisation: Organisation, found: Findings) -> Iterator[str]:
    yield "De dagelijkse proef van de afmeldlink mislukt. Mail met een afmeldlink wacht tot de proef weer slaagt."
    yield "The daily probe of the opt-out link fails. Mail with an opt-out link waits until a probe succeeds."
    yield ""
    yield f"{found.step}: {found.why}"
    yield f"{organisation.opt_out_url}, {found.failures} x"
    yield ""
    yield f"briefgeheim probe --organisation {organisation.name}"


def _page(organisation: Organisation) -> httpx.AsyncClient:
    """A client for the page: by its public name, wherever it connects to; through no proxy, following no redirect."""
    try:
        verify = ssl.create_default_context(cafile=organisation.probe.ca_file)
    except OSError as error:
        raise ProbeFailed("link", f"probe.ca_file cannot be read: {error.strerror}") from None
    return httpx.AsyncClient(
        transport=_Transport(organisation, httpx.AsyncHTTPTransport(verify=verify)),
        timeout=_LIMIT,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": "briefgeheim probe"},
    )


class _Transport(httpx.AsyncBaseTransport):
    """Connects to `connect_to` and asks for the public name there, in TLS and in HTTP (like `curl --resolve`)."""

    def __init__(self, organisation: Organisation, inner: httpx.AsyncHTTPTransport) -> None:
        given = organisation.probe.connect_to
        self._to, self._inner = host_and_port(given) if given else None, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._to is not None:
            request.extensions = {**request.extensions, "sni_hostname": request.url.host}
            request.url = request.url.copy_with(host=self._to[0], port=self._to[1])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _get(client: httpx.AsyncClient, url: str) -> None:
    answer = await _ask("GET", client.get(url))
    if answer.status_code != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
        raise ProbeFailed("GET", f"answered {answer.status_code}, expected the page with 200")


async def _post(client: httpx.AsyncClient, url: str) -> None:
    answer = await _ask("POST", client.post(url, data=_FORM))
    if answer.status_code != 200:
        raise ProbeFailed("POST", f"one-click answered {answer.status_code}, expected 200 (RFC 8058 3.2)")


async def _ask(step: str, request: Awaitable[httpx.Response]) -> httpx.Response:
    try:
        return await request
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        raise ProbeFailed(step, f"{type(error).__name__}: {error}"[:200]) from None


async def _blocks(registry: Registry, person: Person) -> set[int]:
    """Times of the opt-outs of `person` that decisions see."""
    (facts,) = await registry.facts([person])
    return {b.at for b in facts.blocks if b.kind is BlockKind.OPT_OUT and b.scope == SCOPE}
