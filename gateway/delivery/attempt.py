"""One attempt to deliver one row: the order of DESIGN §1 step 7, and the one choke point of I-2.

what:       unseal → render → check → sign → connection → decide again → MAIL FROM
takes→gives: `Job`, `Line` → `Outcome`
knows not:  what is recorded, when it is tried again, who hears of it
fails by:   what it does not expect goes through, to the boundary in `worker`
standard:   DESIGN §1, I-2, I-3, I-8; R-018, R-098, R-106, R-116
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.decision import Action, Decision
from gateway.delivery.answers import Answer, Verb, Verdict, judge
from gateway.delivery.around import circumstances, note_share
from gateway.delivery.letter import no_looser
from gateway.delivery.line import Line
from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.parameters import mail_command, obstacle, rcpt_command
from gateway.delivery.party import Party
from gateway.delivery.prepare import Content, Unsendable, prepare
from gateway.delivery.proving import Prover
from gateway.delivery.relay import Broken, Connection, Unreachable
from gateway.message.template import Template, unpack
from gateway.policy.decide import decide
from gateway.policy.edition import lacking
from gateway.registry.protocol import RegistryUnavailable
from gateway.signing.dkim import Signer

_DECISIONS = 5  # tries to get a decision onto the wire in time, or to settle on a variant
REGISTRY_WAIT = 10.0
UNREACHED = {"tls": "4.7.10", "plaintext": "4.7.10", "login": "4.7.0"}  # X.7.10: encryption needed (RFC 5248)
_AT_ONCE = 2**20  # octets; more is rendered and signed in a thread, so that other mail goes on
_CACHE_OCTETS = 64 * 1024 * 1024


class Templates:
    """Unpacked templates of the messages now on their way, bounded by octets; many rows share one message."""

    def __init__(self, limit: int = _CACHE_OCTETS) -> None:
        self._limit = limit
        self._held = 0
        self._kept: OrderedDict[str, tuple[dict[str, Template], int]] = OrderedDict()

    def of(self, message: str, body: bytes) -> dict[str, Template]:
        """The templates by variant name."""
        if (found := self._kept.get(message)) is not None:
            self._kept.move_to_end(message)
            return found[0]
        templates = unpack(body)
        self._kept[message] = (templates, len(body))
        self._held += len(body)
        while len(self._kept) > 1 and (self._held > self._limit or len(self._kept) > 256):
            self._held -= self._kept.popitem(last=False)[1][1]
        return templates

    def forget(self, message: str) -> None:
        """Let go of a message at once."""
        if (found := self._kept.pop(message, None)) is not None:
            self._held -= found[1]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What every attempt needs: `clock` gives Unix seconds, `age` is L of I-2 in seconds."""

    clock: Callable[[], float]
    age: float
    templates: Templates
    prover: Prover

    async def run(self, job: Job, line: Line, party: Party) -> Outcome:
        """Try once (twice where a kept connection had gone stale). `job` must be unsealed."""
        try:
            content = await self._proved(job, party, await self._prepared(job, line, party, job.entry.variant))
            return await self._on_a_connection(job, line, party, content)
        except RegistryUnavailable:
            return registry_away()
        except Unreachable as error:
            return _unreachable(error)
        except _Stop as stop:
            return stop.outcome

    async def _on_a_connection(self, job: Job, line: Line, party: Party, content: Content) -> Outcome:
        fresh = False
        while True:
            connection = await line.pool.take(fresh=fresh)
            used = connection.transactions > 0
            try:
                outcome = await self._decide_and_send(job, line, party, content, connection)
            finally:
                line.pool.give_back(connection)
            if not (used and _stale(outcome)):
                return outcome
            fresh = True  # it had been closed while it was kept: not the message's fault, so once more on a new one

    async def _decide_and_send(
        self, job: Job, line: Line, party: Party, content: Content, connection: Connection
    ) -> Outcome:
        letter, loop = job.opened_letter, asyncio.get_running_loop()
        await note_share(job, party, self.clock())
        for _ in range(_DECISIONS):
            if hindrance := obstacle(letter.path, content.needs, connection.offers):
                return Outcome(Kind.FAILED, hindrance.reason, hindrance.status, variant=content.variant)
            mail = mail_command(letter.path, content.needs, connection.offers)
            rcpt = rcpt_command(letter.path, connection.offers)
            began = loop.time()
            decision = await self._decide(job, party)
            if decision.action is not Action.DELIVER:
                return _stopped(decision)
            if bare := _bare(job, line):
                return Outcome(Kind.HELD, reason=bare, status="4.7.10", decision=decision)
            if missing := _missing(job, party):
                return Outcome(Kind.HELD, reason=missing, decision=decision)
            variant = no_looser(content.variant, decision.variant)
            if variant != content.variant:
                content = await self._proved(job, party, await self._prepared(job, line, party, variant))
            elif loop.time() - began <= self.age:
                job.spool.mark_sending([job.entry.row])
                return await _send(connection, mail, rcpt, content, decision)
            # Rendering anew or slow reading took time: the facts are read again.
        return Outcome(Kind.POSTPONED, reason="decisions take too long", wait=REGISTRY_WAIT)

    async def _proved(self, job: Job, party: Party, content: Content) -> Content:
        """The same content, once a second parser found nothing in it that should not be there."""
        if why := await self.prover.why_not(job, party, content):
            raise _Stop(Outcome(Kind.HELD, reason=why, fault=True))
        return content

    async def _decide(self, job: Job, party: Party) -> Decision:
        letter, now = job.opened_letter, self.clock()
        around = await circumstances(job, party, now)
        (facts,) = await party.registry.facts([letter.person])  # last: what is read of the person is the newest
        return decide(
            party.organisation,
            letter.classification,
            facts,
            now=int(now),
            around=around,
            language=letter.language,
            postmaster=letter.postmaster,
            queued=True,
        )

    async def _prepared(self, job: Job, line: Line, party: Party, variant: str) -> Content:
        letter = job.opened_letter
        template = self.templates.of(job.entry.message, job.body).get(variant)
        if template is None:
            raise _Stop(Outcome(Kind.HELD, reason=f"the stored mail has no text {variant}"))
        signer = _signer(party, letter.from_domain)
        try:
            now, profile = int(self.clock()), line.provider.profile
            if len(job.body) > _AT_ONCE:
                return await asyncio.to_thread(
                    prepare, variant, template, letter.slots, signer, now=now, profile=profile
                )
            return prepare(variant, template, letter.slots, signer, now=now, profile=profile)
        except Unsendable as error:
            raise _Stop(Outcome(Kind.HELD, reason=f"cannot leave as it is: {error}", fault=True)) from None


class _Stop(Exception):
    """The attempt ends here."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


async def _send(connection: Connection, mail: bytes, rcpt: bytes, content: Content, decision: Decision) -> Outcome:
    """Nothing is awaited between the decision and this call's first octets."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        answer = await connection.transact(mail, rcpt, content.head, content.body)
    except Broken as error:
        outcome = Outcome(Kind.RETRY, str(error), "4.4.2", trouble="" if error.dot else error.why, uncertain=error.dot)
    else:
        outcome = _judged(answer)
    return replace(
        outcome,
        decision=decision,
        variant=content.variant,
        hop_dsn=connection.offers.dsn,
        signed=bool(content.head),
        seconds=clock() - began,
    )


def _judged(answer: Answer) -> Outcome:
    judgement = judge(answer)
    kind = {Verdict.DELIVERED: Kind.DELIVERED, Verdict.FAILED: Kind.FAILED}.get(judgement.verdict, Kind.RETRY)
    return Outcome(kind, answer.brief, answer.status, answer, trouble=judgement.trouble, person=judgement.person)


def _stale(outcome: Outcome) -> bool:
    if outcome.kind is not Kind.RETRY or outcome.uncertain:
        return False
    if outcome.answer is None:
        return outcome.trouble in ("closed", "desync")
    return outcome.answer.code == 421 and outcome.answer.verb is not Verb.CONTENT


def _stopped(decision: Decision) -> Outcome:
    if decision.action is Action.HOLD:
        return Outcome(Kind.HELD, reason=f"{decision.rule}: {decision.fact}", decision=decision)
    reply = decision.reply
    assert reply is not None  # a refusal carries its reply
    return Outcome(Kind.BLOCKED, reason=reply.text, status=reply.enhanced, decision=decision)


def _bare(job: Job, line: Line) -> str:
    """ "" or why sensitive mail must not take this way; looked at here, after the last reload (S-25)."""
    if not job.opened_letter.classification.sensitive or line.provider.authenticated:
        return ""
    return "sensitive-transport: its provider is not reached over authenticated TLS"


def _missing(job: Job, party: Party) -> str:
    """ "" or what the rules of today demand and this text, made by older rules, does not have (DESIGN §4 Spool)."""
    stored = job.entry.facts.get("edition")
    if not isinstance(stored, list) or job.opened_letter.postmaster:
        return ""  # mail of our own making, and mail that no rule edits
    lacks = lacking(party.organisation, job.opened_letter.classification.stream, stored)
    return f"made by older rules; it lacks what they demand now: {', '.join(lacks)}" if lacks else ""


def registry_away() -> Outcome:
    return Outcome(Kind.POSTPONED, reason="registry unavailable", wait=REGISTRY_WAIT, away=True)


def _unreachable(error: Unreachable) -> Outcome:
    status = UNREACHED.get(error.kind, "4.4.1")
    return Outcome(Kind.RETRY, str(error), status, error.answer, trouble=error.kind)


def _signer(party: Party, from_domain: str) -> Signer | None:
    signer = party.signers.get(from_domain)
    domain = party.organisation.by_domain.get(from_domain)
    if signer is None and domain is not None and domain.dkim:
        raise _Stop(Outcome(Kind.RETRY, reason="no signing key for this From domain", status="4.7.0"))
    return signer
