"""The same account for a message that was never sent as the audit gives for one that was (I-11).

what:       `Plan` → a JSON-able account; a message → the `Plan` it would get, storing nothing
takes→gives: tenant, rules, bytes, which client would send them → account and finished copies
knows not:  files, printing, SMTP
fails by:   nothing: a refusal is an account too
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway import content, plan
from gateway.address import Address
from gateway.compared import Sameness
from gateway.content import InProcess, Inspector
from gateway.decision import Action, Basis, Classification, Stream
from gateway.envelope import Envelope, Peer, Recipient
from gateway.facts import Consent, Facts, Purchase, Purpose, Scope, ScopeKind
from gateway.filters.context import Outcome
from gateway.inspection import Finding, Inspection
from gateway.lookup import Found, look_up
from gateway.message.addresses import addresses
from gateway.message.draft import Edit, Slot
from gateway.message.parse import MalformedMessage, Message, parse
from gateway.plan import Arrival, Copy, Plan, Refused, Rules
from gateway.policy import postmaster
from gateway.policy.circumstances import publication_ids
from gateway.policy.withheld import UNNAMED
from gateway.proof.examine import examine
from gateway.proof.reading import Reading
from gateway.reply import Reply
from gateway.signing.dkim import Signer
from gateway.tenant import Tenant

Account = dict[str, object]
_PLACES = 5
_RIGHT_HERE: Inspector = InProcess()


@dataclass(frozen=True, slots=True)
class Question:
    """What would happen to `raw` from this client? Empty `recipients`: those of To, Cc and Bcc."""

    client: str
    raw: bytes
    sender: Address | None
    recipients: tuple[Address, ...]
    at: float
    assume_consent: bool = False
    any_sender: bool = False
    own_sender: bool = True
    """MAIL FROM is the From address (no --from was given)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The account, and what leaves: finished bytes by recipient index (signed where a key is there)."""

    account: Account
    made: Plan | None
    envelope: Envelope | None
    finished: Mapping[int, bytes]


async def explain(
    tenant: Tenant,
    rules: Rules,
    question: Question,
    lend: Callable[[str], Signer | None] = lambda _domain: None,
    inspector: Inspector = _RIGHT_HERE,
) -> Answer:
    """Plan as the gateway would, without storing or sending. Raises `RegistryUnavailable`, `InspectorUnavailable`.

    `lend` gives a signer for a From domain that only `any_sender` makes the organisation's.
    """
    try:
        envelope = postmaster.marked(tenant.organisation, _envelope(question, rules))
        reading = plan.read(tenant, rules, envelope, question.raw, now=question.at, any_sender=question.any_sender)
        asked = content.inside(tenant, envelope, reading)
        reading = await content.look(tenant, envelope, reading, asked, inspector)
        tenant = _as_own(tenant, reading.from_address.canonical_domain, lend)
        found = await look_up(tenant, envelope, reading, question.at)
        if question.assume_consent:
            found = _assumed(found, reading.classification, question.at)
        arrival = Arrival(secrets.token_hex(10), secrets.randbits(32), question.at)
        made = plan.make(tenant, rules, envelope, arrival, reading, found)
    except Refused as refused:
        return Answer(_refusal(question, refused.reply), None, None, {})
    stopped = made.stop is not None
    finished = {
        i: _finish(tenant, made, copy, question.at)
        for i, copy in enumerate(made.copies)
        if copy.decision.action is Action.DELIVER and not stopped
    }
    domain = made.read.from_address.canonical_domain
    signed = domain if domain in tenant.signers and made.provider is not None else None
    checked = self_check(tenant, made, finished)
    return Answer({**account(made), "signed": signed, "self_check": checked}, made, envelope, finished)


def self_check(tenant: Tenant, made: Plan, finished: Mapping[int, bytes]) -> dict[str, list[str]]:
    """What delivery's second parser would find in the first copy of each variant; only variants with differences."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    signer = tenant.signers.get(made.read.from_address.canonical_domain)
    for index, octets in finished.items():
        copy = made.copies[index]
        variant = str(copy.decision.variant)
        expectation = made.renditions[variant].expectation
        if variant in seen or expectation is None:
            continue
        seen.add(variant)
        key = signer.public_key if signer is not None and made.provider is not None else None
        opt_out = copy.slots.get(Slot.OPT_OUT, "")
        if differences := examine(octets, Reading(octets), expectation, opt_out=opt_out, key=key):
            found[variant] = differences
    return found


def _as_own(tenant: Tenant, domain: str, lend: Callable[[str], Signer | None]) -> Tenant:
    """The tenant, signing also for a domain that is not one of its own."""
    signer = None if domain in tenant.organisation.by_domain else lend(domain)
    return tenant if signer is None else replace(tenant, signers={**tenant.signers, domain: signer})


def account(made: Plan) -> Account:
    """Everything about one planned message, per recipient. Addresses in it are for the person who asked."""
    read = made.read
    return {
        "stream": made.classification.stream.value,
        "classified_by": made.classification.entry,
        "marks": {k: v for k, v in made.classification.to_json().items() if k not in ("stream", "entry")},
        "client": read.client.name,
        "private": read.private,
        "provider": made.provider.name if made.provider else None,
        "compared": _compared(made.found),
        "stopped": _outcome(made.stop) if made.stop else None,
        "content": _content(read.inspection),
        "variants": {
            name: {
                "edits": [edit(e) for e in r.draft.edits],
                "outcomes": [_outcome(o) for o in r.outcomes],
            }
            for name, r in made.renditions.items()
        },
        "recipients": [_recipient(made, copy) for copy in made.copies],
    }


def _content(inspection: Inspection) -> Account:
    """What was found in texts and files, by kind, with the first places; and what nobody could look into."""
    kinds: dict[str, list[Finding]] = {}
    for finding in inspection.findings:
        kinds.setdefault(finding.kind.value, []).append(finding)
    return {
        "found": [
            {
                "kind": kind,
                "number": len({f.mark for f in found}),
                "listed": len({f.mark for f in found if f.listed}),
                "where": list(dict.fromkeys(f.where for f in found))[:_PLACES],
            }
            for kind, found in kinds.items()
        ],
        "unread": [{"part": u.part, "why": u.why} for u in inspection.unread],
    }


def _compared(found: Found) -> dict[str, int] | None:
    """How many addresses other copies of the campaign show to be individual or common; None while they show nothing."""
    counts = {s.value: found.campaign.count(s) for s in (Sameness.INDIVIDUAL, Sameness.COMMON)}
    return counts if any(counts.values()) else None


def edit(item: Edit) -> Account:
    """One edit: offsets count in the whole message for the header (part ""), else in the part's decoded content."""
    size = sum(len(piece) for piece in item.replacement if not isinstance(piece, Slot))
    slots = [piece.value for piece in item.replacement if isinstance(piece, Slot)]
    return {
        "filter": item.by,
        "kind": item.kind,
        "part": item.part or "header",
        "start": item.start,
        "end": item.end,
        "inserted": size,
        "slots": slots,
    }


def _assumed(found: Found, marks: Classification, at: float) -> Found:
    people = {a: (person, assume_consent(facts, marks, at)) for a, (person, facts) in found.people.items()}
    published = publication_ids(marks) - {UNNAMED}
    return replace(found, people=people, around=replace(found.around, published=published))


def assume_consent(facts: Facts, marks: Classification, at: float) -> Facts:
    """The same person, as if they had agreed to this stream (and to nothing more). Blocks stay."""
    when, event = int(at) - 86400, 0
    scopes = [Scope(ScopeKind.LIST, marks.list)] if marks.list else []
    scopes += [Scope(ScopeKind.TOPIC, marks.topic)] if marks.topic else []
    if marks.stream is Stream.RESEARCH:
        scopes.append(Scope(ScopeKind.PURPOSE, Purpose.RESEARCH))
        scopes += [Scope(ScopeKind.PURPOSE, Purpose.IDENTIFIED)] if marks.identified else []
    if marks.basis is Basis.CONSENT and marks.category:
        scopes.append(Scope(ScopeKind.PURPOSE, Purpose.OFFERS))
    if marks.segment:
        scopes.append(Scope(ScopeKind.PURPOSE, Purpose.PROFILING))
    purchases = (Purchase(marks.category, declined=False, at=when),) if marks.category else ()
    reference = frozenset({marks.reference}) if marks.reference else frozenset()
    return replace(
        facts,
        consents=(*facts.consents, *(Consent(scope, when, event) for scope in scopes)),
        purchases=(*facts.purchases, *purchases),
        enrolments=facts.enrolments | reference,
        requests=facts.requests | ({marks.topic} if marks.topic else set()),
    )


def _envelope(question: Question, rules: Rules) -> Envelope:
    sender, recipients = question.sender, question.recipients
    if question.own_sender or not recipients:
        try:
            message = parse(question.raw, rules.limits)
        except MalformedMessage as error:
            raise Refused(error.reply.because(error.reason)) from None
        if question.own_sender:
            sender = next(iter(_listed(message, ("from",))), None)
        recipients = recipients or tuple(_listed(message, ("to", "cc", "bcc")))
    if not recipients:
        raise Refused(Reply(554, "5.5.1", "No valid recipients in To, Cc or Bcc; name some with --to"))
    return Envelope(
        client=question.client,
        sender=sender,
        recipients=tuple(Recipient(a) for a in dict.fromkeys(recipients)),
        peer=Peer("127.0.0.1", "explain"),
        smtputf8=not all(a.ascii_only for a in recipients),
    )


def _listed(message: Message, names: Sequence[str]) -> list[Address]:
    found = []
    for name in names:
        for item in message.fields(name):
            found += [m.address for m in addresses(message.raw_value(item)) if m.address]
    return found


def _refusal(question: Question, reply: Reply) -> Account:
    return {"client": question.client, "refused": str(reply), "recipients": []}


def _outcome(outcome: Outcome) -> Account:
    return {
        "filter": outcome.filter,
        "kind": outcome.kind,
        "action": outcome.action.value,
        "detail": outcome.detail,
    }


def _recipient(made: Plan, copy: Copy) -> Account:
    decision = copy.decision
    action, rule, fact, reply = decision.action, decision.rule, decision.fact, decision.reply
    if made.stop is not None and decision.action is not Action.REFUSE:
        stop = made.stop
        action, rule, fact, reply = stop.action, stop.filter, stop.kind, stop.reply
    return {
        "recipient": copy.recipient.address.reveal(),
        "action": action.value,
        "rule": rule,
        "fact": fact,
        "reply": str(reply) if reply else None,
        "variant": str(decision.variant),
        "provider": made.provider.name if made.provider else None,
        "rules_tried": [{"rule": t.rule, "decided": t.decided, "fact": t.fact} for t in decision.tried],
    }


def _finish(tenant: Tenant, made: Plan, copy: Copy, at: float) -> bytes:
    """The copy as it would leave: rendered, then signed on those bytes (R-084)."""
    template = made.renditions[str(copy.decision.variant)].template
    rendered = template.render({slot: value.encode() for slot, value in copy.slots.items()})
    signer = tenant.signers.get(made.read.from_address.canonical_domain)
    if signer is None or made.provider is None:
        return rendered
    return signer.sign(rendered, now=int(at), profile=made.provider.profile) + rendered
