"""The record of processing activities of one organisation, as far as its mail goes, out of its own settings.

what:       purposes with their basis, people, data, recipients, terms, measures, controller
takes→gives: `Organisation`, the gateway's name, a day → `Record`; `Record` → Markdown
knows not:  what the organisation does outside its mail, what was in fact sent
fails by:   nothing
standard:   GDPR 30(1), 30(2); L-25; S-38, S-69
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date

from gateway.config.organisation import Organisation, StreamRule
from gateway.decision import Basis, Stream


@dataclass(frozen=True, slots=True)
class Activity:
    """One stream: why people get this mail, on which ground, who they are, what of them is used, how they stop it."""

    stream: str
    purpose: str
    bases: tuple[str, ...]
    people: str
    data: tuple[str, ...]
    stops: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody else who gets the data, under which contract (ISO day)."""

    name: str
    role: str
    contract: str
    rights_clause: bool


@dataclass(frozen=True, slots=True)
class Record:
    """All of GDPR 30(1) that settings can tell. `terms`: class of data → term in words."""

    organisation: str
    controller: str
    postal_address: str
    register_number: str
    contact: str
    policy: str
    policy_date: str
    policy_days: int
    made: str
    activities: tuple[Activity, ...]
    recipients: tuple[Recipient, ...]
    transfers: str
    terms: Mapping[str, str]
    measures: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return asdict(self)


_PURPOSES: Mapping[Stream, tuple[str, str]] = {
    Stream.NEWSLETTER: ("newsletters that people subscribed to", "subscribers"),
    Stream.NOTIFICATION: ("notices people asked for, and offers after a purchase", "people who asked, and customers"),
    Stream.PARTICIPATION: ("information about a course or meeting somebody takes part in", "participants"),
    Stream.INFORMATIONAL: ("carrying out a contract: order, subscription, training", "customers"),
    Stream.WEBSHOP: ("orders, invoices, payment reminders", "customers of the shop"),
    Stream.RESEARCH: ("research among people who agreed to it", "people who agreed to research"),
    Stream.POLICY_CHANGE: ("telling of a changed privacy policy", "everybody whose data is kept"),
    Stream.RIGHTS: ("answering requests of people about their data", "people who made a request"),
    Stream.CONFIRMATION: ("confirming what a person asked for themselves", "people who asked for something"),
    Stream.PERSONAL: ("mail from one person to another", "correspondents"),
}
_BASES: Mapping[Basis, str] = {
    Basis.CONSENT: "consent (GDPR 6(1)(a))",
    Basis.CONTRACT: "contract (GDPR 6(1)(b))",
    Basis.SOFT_OPT_IN: "soft opt-in after a sale (GDPR 6(1)(f), Tw 11.7(3))",
    Basis.LEGITIMATE_INTEREST: "legitimate interest (GDPR 6(1)(f))",
    Basis.LEGAL: "legal obligation (GDPR 6(1)(c))",
}
_NEEDS: Mapping[str, str] = {
    "list-consent": "consent to the list, with its evidence",
    "topic-request": "topics asked for",
    "enrolment": "enrolments, by reference",
    "reference": "number of the order, subscription or training",
    "research-consent": "consent to research, with its evidence",
    "soft-opt-in": "category and day of purchases, and whether offers were declined",
    "once": "whether they were told already",
}
_NO_TERM: Mapping[str, str] = {
    "consents": "until withdrawn (S-55)",
    "blocks": "for good: a block must outlive what it was put for",
    "mail in flight": "until delivered or given up; its key is destroyed then",
}
_MEASURES = (
    "no mail address is kept: registry, audit, logs and metrics hold keyed pseudonyms; the keys are kept apart",
    "mail in flight and open requests are sealed (AES-256-GCM), each with a key of its own, destroyed at the end",
    "mail to several people goes as one private copy each; nobody sees anybody",
    "every decision is recorded in a hash chain with signed checkpoints, and looks of operators with their reason",
    "an opt-out counts from the moment it is stored, is in a journal that only grows, and is probed daily",
    "hardened units with the least rights; the opt-out page has no key that tells who somebody is",
)


def record(settings: Organisation, today: date) -> Record:
    """As the settings are. `today` in the organisation's time zone."""
    who = settings.controller
    return Record(
        organisation=settings.name,
        controller=who.name,
        postal_address=who.postal_address,
        register_number=who.register_number,
        contact=who.contact,
        policy=who.policy_url,
        policy_date=who.policy_date.isoformat(),
        policy_days=(today - who.policy_date).days,
        made=today.isoformat(),
        activities=tuple(_activity(settings, stream, rule) for stream, rule in settings.streams.items()),
        recipients=tuple(_recipients(settings)),
        transfers="none by the gateway; where a provider stores data outside the EEA, its contract says so",
        terms=dict(_terms(settings)),
        measures=(*_MEASURES, *_own_measures(settings)),
    )


def markdown(found: Record) -> str:
    """The record as a page."""
    return "\n".join(_lines(found)) + "\n"


def _activity(settings: Organisation, stream: Stream, rule: StreamRule) -> Activity:
    purpose, people = _PURPOSES[stream]
    data = ["mail address (while the mail is in flight)", "pseudonym", "language"]
    data += [_NEEDS[need] for need in rule.needs if need in _NEEDS]
    if rule.tracking == "consent":
        data.append("individual links, for people who agreed to that")
    routes = [r.provider for r in settings.routes if not r.streams or stream in r.streams]
    bases = tuple(_BASES[basis] for basis in rule.basis)
    return Activity(
        stream.value, purpose, bases, people, tuple(data), _stops(stream, rule), tuple(dict.fromkeys(routes))
    )


def _stops(stream: Stream, rule: StreamRule) -> str:
    if stream in (Stream.RIGHTS, Stream.CONFIRMATION):
        return "nothing: sent once, when the person asks"
    if rule.unstoppable:
        return "erasure or restriction only"
    ways = {"one-click": "link and one-click header", "link": "link", "none": ""}[rule.opt_out.header]
    if rule.opt_out.scope is None:
        withdrawal = "withdrawing consent; " if Basis.CONSENT in rule.basis else ""
        return f"{withdrawal}an objection that reaches: {', '.join(rule.blocked_by)}"
    return (
        f"{ways or 'link'}, which stops: {rule.opt_out.scope}; an objection that reaches: {', '.join(rule.blocked_by)}"
    )


def _recipients(settings: Organisation) -> Iterator[Recipient]:
    for provider in settings.providers:
        role = "processor: carries mail"
        yield Recipient(provider.name, role, provider.contract.isoformat(), provider.rights_clause)
    for party in settings.third_parties:
        role = f"third party: {party.title}"
        yield Recipient(party.name, role, party.contract.isoformat(), party.rights_clause)


def _terms(settings: Organisation) -> Iterator[tuple[str, str]]:
    yield from _NO_TERM.items()
    for name, term in settings.retention.terms().items():
        yield name, str(term) if term is not None else "as long as somebody is a customer"
    yield "held mail", f"{_days(settings.hold_for.total_seconds())}, then its sender is told"
    leaving = _days(settings.rights.leaving_after.total_seconds())
    yield "people who left", f"{leaving} after they said so (S-28)"
    yield "kept by law", "until the day that was recorded with it (S-29; invoices: AWR 52)"


def _days(seconds: float) -> str:
    return f"{seconds / 86400:g} days"


def _own_measures(settings: Organisation) -> Iterator[str]:
    weak = [p.name for p in settings.providers if not p.authenticated]
    yield "to providers over TLS with a verified certificate" + (f", but for {', '.join(weak)}" if weak else "")
    signed = [d.domain for d in settings.domains if d.dkim]
    if signed:
        yield f"mail is signed (DKIM) for {', '.join(signed)}"
    strict = "needs consent of its own" if settings.strict_tracking else "follows consent to the newsletter"
    yield f"trackers and requests for receipts leave the mail; individual click tracking {strict}"


def _lines(found: Record) -> Iterator[str]:
    number = f", trade register {found.register_number}" if found.register_number else ""
    yield f"# Record of processing: {found.controller}"
    yield ""
    yield f"GDPR 30(1), for the mail that passes the gateway. Made from the settings on {found.made}."
    yield ""
    yield f"- Controller: {found.controller}, {found.postal_address}{number}"
    yield f"- Contact for requests and complaints: {found.contact}"
    yield f"- Policy: {found.policy}, of {found.policy_date} ({found.policy_days} days old)"
    yield ""
    yield "## Activities"
    yield ""
    yield "| stream | purpose | basis | people | data | to stop it | carried by |"
    yield "|---|---|---|---|---|---|---|"
    for a in found.activities:
        cells = (a.stream, a.purpose, "; ".join(a.bases), a.people, "; ".join(a.data), a.stops, ", ".join(a.recipients))
        yield f"| {' | '.join(cell.replace('|', '/') or '–' for cell in cells)} |"
    yield from ("", "## Recipients", "", "| name | role | contract of | says what happens to people's rights |")
    yield "|---|---|---|---|"
    for r in found.recipients:
        yield f"| {r.name} | {r.role} | {r.contract} | {'yes' if r.rights_clause else 'no'} |"
    yield from (
        "",
        f"Transfers outside the EEA: {found.transfers}.",
        "",
        "## Terms",
        "",
        "| data | kept |",
        "|---|---|",
    )
    for name, term in found.terms.items():
        yield f"| {name} | {term} |"
    yield from ("", "## Measures", "")
    for measure in found.measures:
        yield f"- {measure}"
