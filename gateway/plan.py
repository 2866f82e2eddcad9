"""From one accepted transaction to what each recipient will get: steps 2 to 5 of DESIGN §1, storing nothing.

what:       parse → classify → decide → filter → compile, as one value that pipeline stores and `explain` prints
takes→gives: `Tenant`, `Envelope`, raw bytes, facts → `Plan`
knows not:  spool, sockets, SQL
fails by:   `Refused` with the reply for the whole message; `RegistryUnavailable` from the facts
standard:   S-02, S-12; R-010, R-011, R-022, R-031, R-032, R-083; I-1, I-11
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway import content
from gateway.address import Address
from gateway.compared import Compared
from gateway.config.gateway import Limits
from gateway.config.observe_mode import in_force
from gateway.config.organisation import SCOPE_KINDS, Client, Organisation, Provider, StreamRule
from gateway.config.trackers import Trackers
from gateway.decision import Action, Classification, Decision, Stream, Variant
from gateway.envelope import Envelope, Recipient
from gateway.facts import Facts, Scope, ScopeKind
from gateway.filters import FILTERS, campaign_addresses, leak_check, sensitive
from gateway.filters.campaign_addresses import UNSEEN, Seen
from gateway.filters.context import Context, Outcome
from gateway.inspection import NOTHING, Inspection
from gateway.leaks import leaks
from gateway.lookup import Found
from gateway.message.addresses import addresses
from gateway.message.draft import Draft, Slot
from gateway.message.parse import MalformedMessage, Message, duplicates, parse
from gateway.message.template import Template, Uncompilable
from gateway.message.template import compile as compile_template
from gateway.policy import postmaster
from gateway.policy.classify import Traits, classify
from gateway.policy.decide import decide
from gateway.policy.route import route
from gateway.proof.expectation import Expectation, expect
from gateway.proof.reading import Reading
from gateway.pseudonym import Person
from gateway.reply import (
    CANNOT_CONVERT,
    MALFORMED,
    NO_ROUTE,
    SENDER_NOT_ALLOWED,
    UNCLASSIFIED,
    Reply,
)
from gateway.tenant import Tenant
from gateway.token import OptOut
from gateway.trace_fields import Arrival as Arrival
from gateway.trace_fields import add_trace, own_id

# What still runs on mail that no rule edits: hygiene of the header, receipts, care for sensitive mail, and the limit of
# RFC 5322 2.1.1 on lines.
HEADER_FILTERS = frozenset({"header_hygiene", "receipts", "sensitive", "long_lines"})


class Refused(Exception):
    """The whole message is refused with `reply`; `rule` where a rule about people's mail decided it (S-17)."""

    def __init__(self, reply: Reply, rule: str = "") -> None:
        super().__init__(str(reply))
        self.reply, self.rule = reply, rule


@dataclass(frozen=True, slots=True)
class Read:
    """A parsed message with what everything after it needs to know about its header."""

    message: Message
    from_address: Address
    classification: Classification
    said: Classification
    """What the mail said it is. `classification` is what it is handled as: they differ for unmarked mail that only the
    postmaster may get (R-022)."""
    rule: StreamRule
    client: Client
    private: bool
    shown: Mapping[Address, tuple[str, ...]]
    """Addresses that the mail shows and that must be looked up for the leak check (private mail only)."""
    inspection: Inspection = NOTHING
    """What was found in its content, once somebody looked (`content.look`)."""
    seen: Seen = UNSEEN
    """What is compared with other copies of the same campaign."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one recipient gets, or why nothing. `slots` fill the template of `decision.variant`."""

    recipient: Recipient
    person: Person
    facts: Facts
    decision: Decision
    slots: Mapping[Slot, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendition:
    """One variant of the text: the edits, what the filters reported, and the compiled template."""

    variant: Variant
    draft: Draft
    outcomes: tuple[Outcome, ...]
    template: Template
    expectation: Expectation | None = None
    """What the finished copy must look like; None for a message that is not chosen for the self-check."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole answer for one message. `stop` is a filter's REFUSE or HOLD of the message, if any."""

    id: str
    reference: int
    read: Read
    copies: tuple[Copy, ...]
    renditions: Mapping[str, Rendition]
    provider: Provider | None
    found: Found
    stop: Outcome | None = None

    @property
    def classification(self) -> Classification:
        return self.read.classification

    def by_action(self, action: Action) -> list[Copy]:
        return [c for c in self.copies if c.decision.action is action]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for all organisations of one settings version."""

    name: str
    limits: Limits
    trackers: Trackers
    version: str = ""
    self_check: float = 1.0
    """Share of the messages whose first copy is checked (`delivery.self_check`)."""


def read(tenant: Tenant, rules: Rules, envelope: Envelope, raw: bytes, *, now: float, any_sender: bool = False) -> Read:
    """Steps before any fact is needed. `now` is Unix seconds, for what is observed until a day. Raises `Refused`."""
    try:
        message = parse(raw, rules.limits)
    except MalformedMessage as error:
        raise Refused(error.reply.because(error.reason)) from None
    if doubled := duplicates(message):
        raise Refused(MALFORMED.because(f"field {doubled[0]} stands more than once (RFC 5322 3.6)"))
    organisation = tenant.organisation
    client = organisation.by_client[envelope.client]
    from_address = _from_address(message)
    if not any_sender:
        _check_sender(tenant, envelope, from_address)
    outside = _outside(tenant, envelope)
    observed = in_force(organisation, envelope.client, now)
    said = classify(organisation, _traits(message, envelope, from_address, outside), observed)
    said = _with_care(organisation, message, said)
    classification, rule = _handled_as(organisation, envelope, said)
    private = rule.private or outside >= client.private_from
    shown = leak_check.find(message) if private else {}
    comparing = tenant.campaigns is not None and organisation.campaigns.compare and (rule.edit or private)
    seen = campaign_addresses.find(message) if comparing else UNSEEN
    return Read(message, from_address, classification, said, rule, client, private, shown, seen=seen)


def _with_care(organisation: Organisation, message: Message, said: Classification) -> Classification:
    """Sensitive by what it says, whatever its mark says: a header can raise this, never lower it (S-25)."""
    if said.sensitive:
        return said
    why = sensitive.why(message, organisation, said.stream)
    return replace(said, sensitive=True, detected=why) if why else said


def _handled_as(
    organisation: Organisation, envelope: Envelope, said: Classification
) -> tuple[Classification, StreamRule]:
    """Raises `Refused` for mail without a stream, unless the organisation's own postmaster gets it (R-022)."""
    rule = organisation.streams.get(said.stream)
    if rule is None and not postmaster.among(envelope):
        raise Refused(UNCLASSIFIED.because(said.why or "no rule for its stream"), rule=Stream.UNCLASSIFIED)
    if rule is None:
        return postmaster.MAIL, postmaster.RULE
    return said, postmaster.RULE if postmaster.alone(envelope) else rule


def make(
    tenant: Tenant,
    rules: Rules,
    envelope: Envelope,
    arrival: Arrival,
    reading: Read,
    found: Found,
) -> Plan:
    """Decide for each recipient, edit once per variant, compile."""
    copies = tuple(_decide(tenant, reading, r, found, arrival) for r in envelope.recipients)
    provider = route(tenant.organisation, reading.from_address.canonical_domain, reading.classification.stream)
    wanted = [c for c in copies if c.decision.action is not Action.REFUSE]
    if not wanted:
        return Plan(arrival.id, arrival.reference, reading, copies, {}, provider, found)
    if provider is None:
        raise Refused(NO_ROUTE)
    known = found.known_others()
    renditions: dict[str, Rendition] = {}
    judged, stops = content.judge(tenant, envelope, reading), list[Outcome]()
    original = Reading(reading.message.raw) if _chosen(rules, arrival) else None
    for variant in _variants(wanted):
        rendition, halt = _rendition(
            tenant, rules, envelope, arrival, reading, variant, provider, known, original, found.campaign
        )
        stops += [halt] if halt is not None else []
        renditions[str(variant)] = replace(rendition, outcomes=(*rendition.outcomes, *judged))
    return Plan(
        arrival.id, arrival.reference, reading, copies, renditions, provider, found, _stopping([*stops, *judged])
    )


def _chosen(rules: Rules, arrival: Arrival) -> bool:
    """Whether the self-check reads this message; by its id, so that every worker and visit says the same."""
    return int(arrival.id[-4:], 16) < rules.self_check * 0x10000


def _from_address(message: Message) -> Address:
    fields = message.fields("from")
    boxes = addresses(message.raw_value(fields[0])) if len(fields) == 1 else []
    if len(boxes) != 1 or boxes[0].address is None:
        raise Refused(MALFORMED.because("expected one From field with one address (RFC 5322 3.6.2)"))
    return boxes[0].address


def _check_sender(tenant: Tenant, envelope: Envelope, from_address: Address) -> None:
    allowed = tenant.organisation.by_domain
    if from_address.canonical_domain not in allowed:
        raise Refused(SENDER_NOT_ALLOWED.because("From"))
    if envelope.sender is not None and envelope.sender.canonical_domain not in allowed:
        raise Refused(SENDER_NOT_ALLOWED.because("MAIL FROM"))


def _outside(tenant: Tenant, envelope: Envelope) -> int:
    inside = tenant.organisation.internal_domains
    return sum(1 for r in envelope.recipients if not r.postmaster and r.address.canonical_domain not in inside)


def _traits(message: Message, envelope: Envelope, from_address: Address, outside: int) -> Traits:
    headers: dict[str, list[str]] = {}
    for item in message.root.fields:
        headers.setdefault(item.name.decode("latin-1").lower(), []).append(message.text_value(item))
    return Traits(
        client=envelope.client,
        sender=envelope.sender,
        from_address=from_address,
        recipients=outside,
        headers={name: tuple(values) for name, values in headers.items()},
    )


def _decide(tenant: Tenant, reading: Read, recipient: Recipient, found: Found, arrival: Arrival) -> Copy:
    person, facts = found.people[recipient.address]
    decision = decide(
        tenant.organisation,
        reading.said,
        facts,
        now=int(arrival.at),
        around=found.around,
        postmaster=recipient.postmaster,
    )
    slots = {} if decision.action is Action.REFUSE else _slots(tenant, reading, recipient.address, person, arrival)
    return Copy(recipient, person, facts, decision, slots)


def _slots(tenant: Tenant, reading: Read, address: Address, person: Person, arrival: Arrival) -> dict[Slot, str]:
    slots = {Slot.RECIPIENT: address.reveal()}
    scope = opt_out_scope(tenant, reading)
    if scope is not None:
        slots[Slot.OPT_OUT] = opt_out_url(tenant, person, scope, arrival)
    return slots


def opt_out_scope(tenant: Tenant, reading: Read) -> Scope | None:
    """What the link in this mail stops, or None (S-22, S-60). A retired list widens to all marketing."""
    name, marks = reading.rule.opt_out.scope, reading.classification
    if name is None:
        return None
    kind = SCOPE_KINDS[name]
    ids = {
        ScopeKind.SOURCE: marks.source,
        ScopeKind.LIST: marks.list,
        ScopeKind.TOPIC: marks.topic,
        ScopeKind.CATEGORY: marks.category,
    }
    number = ids.get(kind, 0)
    retired = {item.id for item in tenant.organisation.lists if item.retired}
    if (kind in ids and not number) or (kind is ScopeKind.LIST and number in retired):
        return Scope(ScopeKind.MARKETING)
    return Scope(kind, number)


def opt_out_url(tenant: Tenant, person: Person, scope: Scope, arrival: Arrival) -> str:
    """The https address behind which this person stops this scope; constant length per organisation."""
    token = tenant.tokens.seal(
        OptOut(
            organisation=tenant.organisation.id,
            pseudonym=person.blocking,
            layer=tenant.pseudonyms.version,
            scope=scope,
            day=int(arrival.at) // 86400,
            message=arrival.reference,
        )
    )
    return f"{tenant.organisation.opt_out_url.rstrip('/')}/{tenant.organisation.name}/{token}"


def _variants(copies: Sequence[Copy]) -> list[Variant]:
    # The strictest text is always there, so that consent withdrawn while mail waits can be obeyed without the original.
    wanted = {c.decision.variant for c in copies}
    return sorted(wanted | {v.strictest for v in wanted})


def _rendition(
    tenant: Tenant,
    rules: Rules,
    envelope: Envelope,
    arrival: Arrival,
    reading: Read,
    variant: Variant,
    provider: Provider,
    known: set[Address],
    original: Reading | None,
    compared: Compared,
) -> tuple[Rendition, Outcome | None]:
    context = _context(tenant, rules, envelope, reading, variant, provider, compared)
    draft = Draft(reading.message)
    add_trace(draft, rules.name, envelope, arrival, reading.from_address)
    outcomes: list[Outcome] = []
    for item in FILTERS:
        if reading.rule.edit or reading.private or item.name in HEADER_FILTERS:
            outcomes.extend(item.apply(draft, context))
    if reading.private:
        outcomes.extend(leaks(tenant, envelope, reading, draft, known, new_id=own_id(arrival, reading.from_address)))
    stop = _stopping(outcomes)
    try:
        template = compile_template(draft, seven_bit=not provider.eight_bit, ascii_header=not envelope.smtputf8)
    except Uncompilable as error:
        raise Refused(CANNOT_CONVERT.because(str(error))) from None
    expectation = expect(draft, original, private=reading.private) if original is not None else None
    return Rendition(variant, draft, tuple(outcomes), template, expectation), stop


def _stopping(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The first refusal, else the first hold."""
    refused = next((o for o in outcomes if o.action is Action.REFUSE), None)
    return refused or next((o for o in outcomes if o.action is Action.HOLD), None)


def _context(
    tenant: Tenant,
    rules: Rules,
    envelope: Envelope,
    reading: Read,
    variant: Variant,
    provider: Provider,
    compared: Compared,
) -> Context:
    signer = tenant.signers.get(reading.from_address.canonical_domain)
    covered = signer is not None and all(
        signer.covers(name, provider.profile) for name in ("list-unsubscribe", "list-unsubscribe-post")
    )
    return Context(
        organisation=tenant.organisation,
        client=reading.client,
        rule=reading.rule,
        classification=reading.classification,
        variant=variant,
        trackers=rules.trackers,
        authserv_id=rules.name,
        private=reading.private,
        one_click=covered,
        null_sender=envelope.sender is None,
        tls=provider.tls,
        recipient=envelope.recipients[0].address.exact() if len(envelope.recipients) == 1 else b"",
        compared=compared,
    )
