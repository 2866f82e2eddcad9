"""What each step of one mail costs, in microseconds of CPU, in one process without sockets.

usage:      python -m bench.stages [--mails N] [--rounds N]
what:       the steps that pipeline and delivery do for one mail, each over all mails; the best of the rounds
knows not:  ingress, the network; what waiting costs
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from bench import ours
from bench.mail import SENDER, address, newsletter
from gateway import content, plan
from gateway.address import Address
from gateway.app import compose
from gateway.audit.sqlite import AuditWriter
from gateway.config.credentials import Credentials
from gateway.config.load import load
from gateway.content import InProcess
from gateway.delivery.around import circumstances
from gateway.delivery.attempt import Templates
from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.prepare import prepare
from gateway.delivery.proving import Prover
from gateway.delivery.schedule import Schedule
from gateway.delivery.settle import Place, settle
from gateway.demo.recorder import Recorder
from gateway.envelope import Envelope, Peer, Recipient
from gateway.filters import FILTERS, campaign_addresses, leak_check
from gateway.lookup import look_up
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.template import compile as compile_template
from gateway.message.template import pack
from gateway.policy.decide import decide
from gateway.proof.reading import Reading
from gateway.spool.sqlite import SQLiteSpool
from gateway.stored import planned_message

_PEOPLE = 500


@dataclass(slots=True)
class Costs:
    """Microseconds of CPU per mail by step, the least of all rounds."""

    mails: int
    best: dict[str, float] = field(default_factory=dict)

    def of(self, step: str) -> _Clock:
        return _Clock(self, step)

    def print(self) -> None:
        total = sum(cost for step, cost in self.best.items() if not step.startswith(" "))
        for step, cost in self.best.items():
            sys.stdout.write(f"{step:44} {cost:7.0f}\n")
        sys.stdout.write(f"{'all steps':44} {total:7.0f}\n")


@dataclass(slots=True)
class _Clock:
    costs: Costs
    step: str
    began: float = 0.0

    def __enter__(self) -> None:
        self.began = time.process_time()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        cost = (time.process_time() - self.began) / self.costs.mails * 1e6
        self.costs.best[self.step] = min(cost, self.costs.best.get(self.step, cost))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mails", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    costs = Costs(options.mails)
    with tempfile.TemporaryDirectory(prefix="briefgeheim-bench-") as place, closing(Recorder()) as recorder:
        stage = ours.build(Path(place) / "gateway", recorder, 9, workers=1, people=_PEOPLE)
        asyncio.run(_measure(stage.config, options.rounds, costs))
    costs.print()
    return 0


async def _measure(config: Path, rounds: int, costs: Costs) -> None:
    loaded = load(config)
    credentials = Credentials.of(loaded.gateway)
    registries = compose.open_registries(loaded, credentials, lambda *_: None)
    campaigns = compose.campaigns(loaded)
    tenant = compose.tenants(loaded, credentials, registries, campaigns)["rezulto"]
    rules = compose.rules(loaded)
    for turn in range(rounds):
        spool = SQLiteSpool(loaded.gateway.state / f"bench-{turn}", 0, {1: os.urandom(32)}, AuditWriter())
        async with aclosing(_Closing(spool.close)):
            await _round(tenant, rules, spool, loaded.gateway.delivery, costs, turn)
    for registry in registries.values():
        registry.close()
    for each in campaigns.values():
        await each.close()


@dataclass(slots=True)
class _Closing:
    aclose: Callable[[], Awaitable[None]]


async def _round(tenant, rules, spool, delivery, costs: Costs, turn: int) -> None:  # type: ignore[no-untyped-def]
    numbers = range(turn * costs.mails, (turn + 1) * costs.mails)
    raws = [newsletter(n, address(n % _PEOPLE)) for n in numbers]
    envelopes = [_envelope(address(n % _PEOPLE)) for n in numbers]
    arrivals = [plan.Arrival(secrets.token_hex(10), n, time.time()) for n in numbers]

    with costs.of("read: parse, classify, find addresses"):
        reads = [plan.read(tenant, rules, e, raw, now=time.time()) for e, raw in zip(envelopes, raws, strict=True)]
    with costs.of("  parse"):
        for raw in raws:
            parse(raw, rules.limits)
    with costs.of("  find addresses"):
        for r in reads:
            leak_check.find(r.message)
    with costs.of("  addresses and features to compare"):
        for r in reads:
            campaign_addresses.find(r.message)
    with costs.of("look inside: texts and files"):
        reads = [
            await content.look(tenant, e, r, content.inside(tenant, e, r), InProcess())
            for e, r in zip(envelopes, reads, strict=True)
        ]
    with costs.of("look up: registry, copies of the campaign"):
        people = [await look_up(tenant, e, r, time.time()) for e, r in zip(envelopes, reads, strict=True)]
    with costs.of("make: decide, filter, leak check, compile"):
        plans = [
            plan.make(tenant, rules, e, a, r, p)
            for e, a, r, p in zip(envelopes, arrivals, reads, people, strict=True)
        ]  # fmt: skip
    with costs.of("  read the original by another parser"):
        for raw in raws:
            Reading(raw)
    with costs.of("  decide and opt-out link"):
        for e, a, r, p in zip(envelopes, arrivals, reads, people, strict=True):
            plan._decide(tenant, r, e.recipients[0], p, a)
    _filters(tenant, rules, envelopes, plans, costs)
    with costs.of("store: values, pack"):
        stored = [
            planned_message(tenant, e, m, a, rules.version) for e, m, a in zip(envelopes, plans, arrivals, strict=True)
        ]
    with costs.of("  pack"):
        for made in plans:
            pack({name: r.template for name, r in made.renditions.items()})
    with costs.of("spool: put, 20 at once"):
        for start in range(0, len(stored), 20):
            await asyncio.gather(*(spool.put((m,), audit) for m, audit in stored[start : start + 20] if m is not None))
    await _deliver(tenant, spool, delivery, costs)


def _filters(tenant, rules, envelopes, plans, costs: Costs) -> None:  # type: ignore[no-untyped-def]
    drafts = [Draft(made.read.message) for made in plans]
    contexts = [
        plan._context(
            tenant,
            rules,
            e,
            made.read,
            next(iter(made.renditions.values())).variant,
            made.provider,
            made.found.campaign,
        )
        for e, made in zip(envelopes, plans, strict=True)
    ]
    for item in FILTERS:
        with costs.of(f"  filter {item.name}"):
            for draft, context in zip(drafts, contexts, strict=True):
                item.apply(draft, context)
    with costs.of("  a second look for addresses, where there is one"):
        for draft in drafts:
            leak_check.find(draft)
    with costs.of("  compile"):
        for draft in drafts:
            compile_template(draft, seven_bit=True)


async def _deliver(tenant, spool, delivery, costs: Costs) -> None:  # type: ignore[no-untyped-def]
    with costs.of("claim"):
        entries = []
        while found := await spool.claim(time.time(), 64):
            entries += found
    jobs = [Job(spool, entry) for entry in entries]
    with costs.of("open: unseal row and body, letter"):
        for job in jobs:
            await job.unseal(tenant.pseudonyms)
    templates = Templates()
    with costs.of("prepare: unpack, render, check, sign"):
        ready = []
        for job in jobs:
            letter = job.opened_letter
            template = templates.of(job.entry.message, job.body)[job.entry.variant]
            signer = tenant.signers[letter.from_domain]
            copy = prepare(job.entry.variant, template, letter.slots, signer, now=int(time.time()), profile="plain")
            ready.append(copy)
    with costs.of("  sign"):
        for _ in jobs:
            signer.sign(copy.body, now=int(time.time()), profile="plain")
    prover = Prover()
    with costs.of("self-check: the copy, by another parser"):
        for job, copy in zip(jobs, ready, strict=True):
            await prover.why_not(job, tenant, copy)
    with costs.of("decide again: registry, decision"):
        for job in jobs:
            letter = job.opened_letter
            (facts,) = await tenant.registry.facts([letter.person])
            now = time.time()
            around = await circumstances(job, tenant, now)
            decision = decide(
                tenant.organisation, letter.classification, facts, now=int(now), around=around, queued=True
            )
    outcome = Outcome(Kind.DELIVERED, "250 2.0.0 at content", "2.0.0", decision=decision, signed=True)
    with costs.of("settle: update and audit, 20 at once"):
        schedule = Schedule.of(delivery)
        for start in range(0, len(jobs), 20):
            done = [
                settle(job, outcome, Place("bulk", "127.0.0.1", 1.0), schedule, time.time())
                for job in jobs[start : start + 20]
            ]
            spool.mark_sending([job.entry.row for job in jobs[start : start + 20]])
            await spool.update([d.update for d in done], [row for d in done for row in d.audit])


def _envelope(to: str) -> Envelope:
    peer = Peer("127.0.0.1", "load.test.example")
    recipient = Recipient(Address.parse(to))
    return Envelope(client=ours.CLIENT, sender=Address.parse(SENDER), recipients=(recipient,), peer=peer)


if __name__ == "__main__":
    raise SystemExit(main())
