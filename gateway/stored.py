"""The shape of a message in the spool: what stands in clear, what is sealed, and what the audit gets.

what:       `Plan` or raw mail → `NewMessage` and audit rows; a stored raw message → its `Envelope`
knows not:  how the spool seals and stores
standard:   I-7 (no address in clear columns or audit), I-11 (edits with byte ranges)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.address import Address
from gateway.audit.protocol import AuditRow
from gateway.decision import Action
from gateway.envelope import Envelope, Notify, Peer, Recipient
from gateway.exposure import exposed
from gateway.message.parse import Message
from gateway.message.template import pack
from gateway.plan import Arrival, Copy, Plan
from gateway.policy.circumstances import Observed
from gateway.policy.edition import edition
from gateway.reply import Reply
from gateway.spool.protocol import QUARANTINE, Entry, NewMessage, NewRow, State
from gateway.tenant import Tenant

_RETURNED = ("from", "date", "subject", "message-id")  # what a report may show of the original header (I-1)
ERASURE = "erasure"  # the rule that stops mail to erased people
_EDITS_KEPT = 400  # per variant in the audit; beyond it their number


def planned_message(
    tenant: Tenant, envelope: Envelope, made: Plan, arrival: Arrival, version: str
) -> tuple[NewMessage | None, list[AuditRow]]:
    """The sealed template with one row per recipient who gets or may get it; None when nobody does."""
    rows = [_row(tenant, envelope, made, copy, arrival) for copy in made.copies if _kept(made, copy)]
    audit = [*_decisions_audit(tenant, made, arrival), _edits_audit(tenant, made, arrival, version)]
    if not rows:
        return None, audit
    audit += _exposures_audit(tenant, envelope, made, arrival)
    marks = made.classification
    message = NewMessage(
        id=made.id,
        reference=made.reference,
        organisation=tenant.organisation.name,
        client=envelope.client,
        stream=marks.stream.value,
        received=arrival.at,
        facts={
            "classification": marks.to_json(),
            "from_domain": made.read.from_address.canonical_domain,
            "smtputf8": envelope.smtputf8,
            "version": version,
            **({"observed": True} if made.found.around.observed is Observed.NOW else {}),
            "edition": edition(tenant.organisation, made.read.rule, private=made.read.private),
        },
        sealed={
            **_transaction(envelope),
            "headers": returned_header(made.read.message, sensitive=marks.sensitive).decode("latin-1"),
            **_proof(made),
        },
        body=pack({name: r.template for name, r in made.renditions.items()}),
        rows=tuple(rows),
    )
    return message, audit


def raw_message(
    tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival, state: State, reason: str, software: str
) -> tuple[NewMessage, list[AuditRow]]:
    """The message as it came, sealed, to be decided later (I-3). `software` tells which version set it aside."""
    name = tenant.organisation.name
    rows = tuple(
        NewRow(person.exact, person.wide, state, "", "", _recipient(r), _due(state, arrival), 0.0, reason)
        for r in envelope.recipients
        for person in (tenant.pseudonyms.person(r.address),)
    )
    peer = envelope.peer
    sealed = {
        **_transaction(envelope),
        "peer": [peer.address, peer.helo, peer.tls, peer.authenticated, peer.esmtp],
        "eight_bit": envelope.eight_bit,
    }
    message = NewMessage(
        id=arrival.id,
        reference=arrival.reference,
        organisation=name,
        client=envelope.client,
        stream="",
        received=arrival.at,
        facts={"software": software, "smtputf8": envelope.smtputf8},
        sealed=sealed,
        body=raw,
        rows=rows,
    )
    audit = [AuditRow(arrival.at, name, arrival.id, state.value, r.person_exact, {"reason": reason}) for r in rows]
    return message, audit


def _due(state: State, arrival: Arrival) -> float:
    # Quarantined mail is tried again when an operator says so, which makes it due.
    return arrival.at + QUARANTINE if state is State.QUARANTINED else arrival.at


def envelope_from(entry: Entry, rows: Sequence[Mapping[str, object]], sealed: Mapping[str, object]) -> Envelope:
    """The envelope of a message that was stored raw."""
    address, helo, tls, authenticated, esmtp = sealed["peer"]  # type: ignore[misc]
    sender = str(sealed["sender"])
    return Envelope(
        client=entry.client,
        sender=Address.parse(sender) if sender else None,
        recipients=tuple(_recipient_from(row) for row in rows),
        peer=Peer(address, helo, tls, authenticated, esmtp),  # type: ignore[has-type]
        smtputf8=bool(entry.facts.get("smtputf8")),
        eight_bit=bool(sealed["eight_bit"]),
        ret=str(sealed["ret"]),
        envid=str(sealed["envid"]),
    )


def refusals_audit(tenant: Tenant, envelope: Envelope, arrival: Arrival, reply: Reply) -> list[AuditRow]:
    """A whole message refused before or after the decision: one row per recipient."""
    detail = {"client": envelope.client, "rule": "message", "fact": str(reply)}
    name = tenant.organisation.name
    return [
        AuditRow(arrival.at, name, arrival.id, "refused", tenant.pseudonyms.person(r.address).exact, detail)
        for r in envelope.recipients
    ]


def _kept(made: Plan, copy: Copy) -> bool:
    stopped = made.stop is not None and made.stop.action is Action.REFUSE
    return copy.decision.action is not Action.REFUSE and not stopped


def _row(tenant: Tenant, envelope: Envelope, made: Plan, copy: Copy, arrival: Arrival) -> NewRow:
    held = copy.decision.action is Action.HOLD or made.stop is not None
    reason = ""
    if made.stop is not None:
        reason = f"{made.stop.filter}: {made.stop.kind}: {made.stop.detail}"
    elif held:
        reason = f"{copy.decision.rule}: {copy.decision.fact}"
    assert made.provider is not None, "a row without a provider"
    return NewRow(
        person_exact=copy.person.exact,
        person_wide=copy.person.wide,
        state=State.HELD if held else State.QUEUED,
        provider=made.provider.name,
        variant=str(copy.decision.variant),
        sealed={**_recipient(copy.recipient), "slots": {slot.value: value for slot, value in copy.slots.items()}},
        due=arrival.at,
        until=arrival.at + tenant.organisation.hold_for.total_seconds() if held else 0.0,
        reason=reason,
    )


def _proof(made: Plan) -> dict[str, object]:
    expected = {n: r.expectation.to_json() for n, r in made.renditions.items() if r.expectation is not None}
    return {"proof": expected} if expected else {}


def _transaction(envelope: Envelope) -> dict[str, object]:
    return {
        "sender": envelope.sender.reveal() if envelope.sender else "",
        "ret": envelope.ret,
        "envid": envelope.envid,
        "split": len(envelope.recipients) > 1,
    }


def _recipient(recipient: Recipient) -> dict[str, object]:
    return {
        "address": recipient.address.reveal(),
        "notify": sorted(n.value for n in recipient.notify),
        "orcpt": recipient.orcpt,
        **({"postmaster": True} if recipient.postmaster else {}),
    }


def _recipient_from(row: Mapping[str, object]) -> Recipient:
    notify = row["notify"]
    assert isinstance(notify, list)
    return Recipient(
        Address.parse(str(row["address"])),
        frozenset(Notify(n) for n in notify),
        str(row["orcpt"]),
        bool(row.get("postmaster", False)),
    )


def returned_header(message: Message, *, sensitive: bool = False) -> bytes:
    """The fields of the original that a report may show (I-1, RFC 3464 2); of sensitive mail not what it is about."""
    names = [name for name in _RETURNED if not (sensitive and name == "subject")]
    spans = [f for name in names for f in message.fields(name)]
    return b"".join(message.raw[f.start : f.end] for f in sorted(spans, key=lambda f: f.start))


def _decisions_audit(tenant: Tenant, made: Plan, arrival: Arrival) -> list[AuditRow]:
    name, words = tenant.organisation.name, {Action.DELIVER: "accepted", Action.REFUSE: "refused", Action.HOLD: "held"}
    rows = []
    for copy in made.copies:
        decision = copy.decision
        what = words[decision.action]
        if made.stop is not None and decision.action is not Action.REFUSE:
            what = words[made.stop.action]
        detail: dict[str, object] = {
            "stream": made.classification.stream.value,
            "rule": decision.rule,
            "fact": decision.fact,
            "variant": str(decision.variant),
            "provider": made.provider.name if made.provider else "",
            "tried": [[t.rule, t.decided, t.fact] for t in decision.tried],
        }
        if made.stop is not None:
            detail["stopped"] = f"{made.stop.filter}: {made.stop.kind}"
        # Of an erased person no dated row is made, not even of what was refused (S-31).
        person = b"" if decision.rule == ERASURE else copy.person.exact
        rows.append(AuditRow(arrival.at, name, made.id, what, person, detail))
    return rows


def _exposures_audit(tenant: Tenant, envelope: Envelope, made: Plan, arrival: Arrival) -> list[AuditRow]:
    """One row per person whom the mail shows to others, should it leave as it is: the breach watch reads them (L-26).

    Rows of their own, so that erasing a person finds them.
    """
    marks = made.classification
    detail = {"stream": marks.stream.value, "client": made.read.client.name, "sensitive": marks.sensitive}
    name = tenant.organisation.name
    return [AuditRow(arrival.at, name, made.id, "shown", p.exact, detail) for p in exposed(tenant, envelope, made)]


def _edits_audit(tenant: Tenant, made: Plan, arrival: Arrival, version: str) -> AuditRow:
    edits = {
        name: [[e.by, e.kind, e.part, e.start, e.end] for e in rendition.draft.edits[:_EDITS_KEPT]]
        + ([["", "more", "", 0, len(rendition.draft.edits)]] if len(rendition.draft.edits) > _EDITS_KEPT else [])
        for name, rendition in made.renditions.items()
    }
    outcomes = {
        name: [[o.filter, o.kind, o.action.value, o.detail] for o in rendition.outcomes]
        for name, rendition in made.renditions.items()
    }
    detail = {
        "client": made.read.client.name,
        "classified": made.classification.entry,
        "private": made.read.private,
        "edits": edits,
        "outcomes": outcomes,
        "rules": version,
    }
    return AuditRow(arrival.at, tenant.organisation.name, made.id, "edited", b"", detail)
