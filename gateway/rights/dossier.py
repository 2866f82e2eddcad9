"""Everything the gateway holds about one person, as frozen values.

what:       `gather`: registry, audit, open requests and settings → `Dossier`
takes→gives: sources, the person, the address they are known by → tables of plain values
knows not:  how it is written down; anybody else's data: every row is found by this person's own pseudonym
fails by:   `RegistryUnavailable`, `CasesUnavailable`, `SpoolUnavailable`
standard:   GDPR 15, 20; L-12, L-15, S-04, S-65. Who of the staff looked or acted is not said (CJEU C-579/21, 75-83)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.audit.protocol import AuditRow
from gateway.cases.protocol import Case
from gateway.config.organisation import Organisation
from gateway.decision import Stream
from gateway.facts import Facts
from gateway.pseudonym import Person
from gateway.registry.intervals import Ground, Interval, intervals
from gateway.registry.protocol import Act, Event, EventKind, PeopleRegistry
from gateway.rights import naming, tables
from gateway.rights.retained import CLOCK
from gateway.rights.sendings import sendings
from gateway.rights.tables import Row

History = Sequence[tuple[int, Event]]
_WHO = {
    "person": "the person", "operator": "a member of staff", "import": "an import",
    "web": "the opt-out page", "system": "the gateway",
}  # fmt: skip
_CONSENTS = (Ground.CONSENT, Ground.REQUEST)
_SALES = (Ground.PURCHASE, Ground.SUBSCRIPTION)


@dataclass(frozen=True, slots=True)
class Dossier:
    """`made` Unix seconds; `language` of its text; `address` as the person wrote it, the only one in here."""

    organisation: Organisation
    made: int
    language: str
    address: str = field(repr=False)
    known: bool
    rows: Mapping[str, tuple[Row, ...]] = field(repr=False)

    def table(self, name: str) -> tuple[Row, ...]:
        return self.rows[name]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where it is read. `trail` gives the audit rows of a person, `requests` their open cases."""

    organisation: Organisation
    registry: PeopleRegistry
    trail: Callable[[Person], Sequence[AuditRow]]
    cases: Sequence[Case] = ()


async def gather(sources: Sources, person: Person, address: str, now: int, language: str = "") -> Dossier:
    """Read everything once. `address` goes into the dossier as it is; `now` Unix seconds."""
    (facts,) = await sources.registry.facts([person])
    history = await sources.registry.history(person)
    acts = await sources.registry.acts(person)
    mail = [row for row in sources.trail(person) if row.organisation == sources.organisation.name]
    mine = [case for case in sources.cases if case.person == person]
    found = _Reading(sources.organisation, facts, history, intervals(history), mail, mine, acts, now)
    rows = {name: tuple(getattr(found, name)()) for name in tables.TABLES}
    known = facts.known or bool(mail) or bool(mine)
    return Dossier(sources.organisation, now, language or sources.organisation.language, address, known, rows)


def when(at: float | None) -> str:
    """ISO 8601 in UTC; "" for None."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read, with one method per table."""

    organisation: Organisation
    known: Facts
    history: History
    spells: Sequence[Interval]
    mail: Sequence[AuditRow]
    cases: Sequence[Case]
    acts: Sequence[Act]
    now: int

    def blocks(self) -> Iterator[Row]:
        for b in self.known.blocks:
            yield tables.Block(
                b.kind.value, self._name(b.scope), naming.scope_title(self.organisation, b.scope), when(b.at)
            )

    def consents(self) -> Iterator[Row]:
        events = dict(self.history)
        for spell in self.spells:
            if spell.ground in _CONSENTS and spell.holds(self.now):
                evidence = events[spell.opened].evidence
                title = naming.scope_title(self.organisation, spell.scope)
                yield tables.Consent(
                    spell.ground.value, self._name(spell.scope), title, when(spell.start),
                    evidence.channel, evidence.wording, evidence.proof,
                )  # fmt: skip

    def facts(self) -> Iterator[Row]:
        parties = dict(self.known.third_parties)
        for spell in self.spells:
            if spell.ground not in (*_CONSENTS, Ground.BLOCK) and spell.closed is None:
                party = parties.get(spell.name, "")
                yield tables.Fact(_kind(spell), self._value(spell), party, when(spell.start), when(spell.end))
        for kind, value in self._plain():
            yield tables.Fact(kind, value, "", "", "")

    def _plain(self) -> Iterator[tuple[str, str]]:
        if self.known.minor:
            yield "minor", "guardian consents" if self.known.guardian_consent else "no consent of a guardian"
        if self.known.language:
            yield "language", self.known.language
        yield from (("contact", f"{client}: {mark}") for client, mark in sorted(self.known.contacts))
        yield from (("origin", origin) for origin in sorted(self.known.origins))
        yield from (("announced", version) for version in sorted(self.known.announced))

    def events(self) -> Iterator[Row]:
        for number, e in self.history:
            who = _WHO.get(e.evidence.actor.partition(":")[0], "")
            detail = json.dumps(dict(e.detail), sort_keys=True, ensure_ascii=False) if e.detail else ""
            yield tables.Happening(
                number, when(e.at), e.kind.value.removeprefix("fact-"), self._name(e.scope), who,
                e.evidence.channel, e.evidence.wording, e.evidence.proof, detail,
            )  # fmt: skip

    def periods(self) -> Iterator[Row]:
        events = dict(self.history)
        for s in self.spells:
            ended = events[s.closed].kind.value.removeprefix("fact-") if s.closed is not None else ""
            yield tables.Period(_kind(s), self._value(s), when(s.start), when(s.end), ended)

    def sendings(self) -> Iterator[Row]:
        yield from sendings(self.mail, self._basis, self._grounds)

    def shares(self) -> Iterator[Row]:
        for e in self._of(EventKind.SHARED):
            name = str(e.detail["third_party"])
            yield tables.Share(
                when(e.at), name, self._title(name), str(e.detail["purpose"]), str(e.detail.get("ground", "")),
                str(e.detail["message"]),
            )  # fmt: skip

    def receipts(self) -> Iterator[Row]:
        for e in self._of(EventKind.RECEIPT):
            yield tables.Receipt(when(e.at), str(e.detail["kind"]), str(e.detail["message"]))

    def retained(self) -> Iterator[Row]:
        yield from (tables.Retained(r.id, r.reason, when(r.until)) for r in self.known.retained if r.id != CLOCK)

    def recipients(self) -> Iterator[Row]:
        carried = {str(row.detail.get("provider", "")) for row in self.mail if row.what == "delivered"}
        got = {str(e.detail["third_party"]) for e in self._of(EventKind.SHARED)}
        for p in self.organisation.providers:
            yield tables.Recipient("mail provider", p.name, p.name, p.contract.isoformat(), _yes(p.name in carried))
        for t in self.organisation.third_parties:
            yield tables.Recipient("third party", t.name, t.title, t.contract.isoformat(), _yes(t.name in got))

    def terms(self) -> Iterator[Row]:
        for name, term in self.organisation.retention.terms().items():
            yield tables.Term(name, str(term) if term else "as long as you are a customer")
        yield tables.Term("consents and blocks", "until they end or you are erased; a block stays as a keyed code")

    def requests(self) -> Iterator[Row]:
        for c in self.cases:
            yield tables.Request(
                c.number, c.kind.value, c.received.isoformat(), c.due.isoformat(), c.state.value, c.channel.value,
                c.content.text,
            )  # fmt: skip

    def looks(self) -> Iterator[Row]:
        yield from (tables.Look(when(act.at), act.what, act.reason) for act in self.acts)

    def _of(self, kind: EventKind) -> Iterator[Event]:
        return (e for _, e in self.history if e.kind is kind)

    def _name(self, scope: object) -> str:
        return naming.scope_name(self.organisation, scope)  # type: ignore[arg-type]

    def _value(self, spell: Interval) -> str:
        """What it is about; of a sale the category alone."""
        if spell.ground in _SALES and spell.scope is not None:
            return naming.category(self.organisation, spell.scope.id)
        return self._name(spell.scope) or spell.name

    def _title(self, name: str) -> str:
        party = self.organisation.by_third_party.get(name)
        return party.title if party else name

    def _basis(self, stream: str) -> str:
        rule = self.organisation.streams.get(Stream(stream)) if stream in Stream.__members__.values() else None
        return rule.basis[0].value if rule else ""

    def _grounds(self, at: float, grounds: frozenset[Ground]) -> str:
        return "; ".join(
            f"{_kind(s)} {self._value(s)} since {when(s.start)}"
            for s in self.spells
            if s.ground in grounds and s.name not in ("declined", "free") and s.holds(int(at))
        )


def _kind(spell: Interval) -> str:
    """`purchase-declined` and `free-account` are no basis, so they have names of their own."""
    special = {(Ground.PURCHASE, "declined"): "purchase-declined", (Ground.SUBSCRIPTION, "free"): "free-account"}
    if spell.ground is Ground.BLOCK:
        return spell.name
    return special.get((spell.ground, spell.name), spell.ground.value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
