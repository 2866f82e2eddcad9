"""Mail of our own making: failure reports, the digest of held mail, letters about rights; straight into the spool.

what:       composes, compiles and stores; one commit with its audit
takes→gives: what became of recipients → a queued DSN to the original return path
knows not:  SMTP, why something failed
fails by:   `SpoolUnavailable`
standard:   RFC 3461 5.2, RFC 3464, RFC 3834; R-014, R-015, R-111, R-114, R-121; DESIGN §4 Outbox, Hold
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate

from gateway.address import Address, InvalidAddress
from gateway.audit.protocol import AuditRow
from gateway.config.organisation import Organisation, Provider
from gateway.decision import Basis, Classification, Stream, Variant
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.report import Outcome, Report, build_dsn
from gateway.message.template import Template, pack
from gateway.message.template import compile as compile_template
from gateway.observe import maillog
from gateway.policy.route import route
from gateway.pseudonym import SIZE, Person
from gateway.spool.protocol import NewMessage, NewRow, Spool, State
from gateway.tenant import Tenant

OWN_CLIENT = "gateway"
"""The client name of mail that the gateway itself makes."""
_MARKS = Classification(Stream.PERSONAL, entry="own-report", basis=Basis.LEGAL)
_RIGHTS_MARKS = Classification(Stream.RIGHTS, entry="own-rights", basis=Basis.LEGAL)
_NOBODY = Person(bytes(SIZE), bytes(SIZE))
"""Stands in spool and audit where no dated row may carry the person's pseudonym (DESIGN §4 Audit)."""


Composed = tuple[NewMessage, AuditRow]
"""A mail of our own making, ready to be put in one commit with what caused it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail about a right, written out: `id` of its outbox row and of its message, `made` Unix seconds.

    `sender` is From and reverse-path; `anonymous` keeps the person's pseudonym out of spool and audit.
    """

    id: str
    sender: Address
    to: Address
    mail: bytes = field(repr=False)
    made: float
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Original:
    """The message a report is about. `envid` as received; `returned` its safe header fields; `arrival` Unix seconds."""

    id: str
    arrival: float
    envid: str = ""
    returned: bytes = b""


class Outbox:
    """`spool` is this worker's own shard; `tenants` by organisation name, swapped whole on reload."""

    def __init__(
        self,
        tenants: Mapping[str, Tenant],
        spool: Spool,
        name: str,
        *,
        wake: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.tenants = tenants
        self._spool = spool
        self._name = name
        self._wake = wake
        self._clock = clock

    def compose(
        self, organisation: str, to: Address, original: Original, outcomes: Sequence[Outcome]
    ) -> Composed | None:
        """One DSN to the return path, to be put by the caller; its null reverse-path lets it cause no other.

        None where no provider carries mail of the postmaster, which is logged.
        """
        tenant = self.tenants[organisation]
        report = Report(
            identifier=secrets.token_hex(10),
            reporting_mta=self._name,
            sender=Address.parse(tenant.organisation.postmaster),
            to=to,
            date=int(self._clock()),
            arrival=int(original.arrival),
            outcomes=tuple(outcomes),
            envid=original.envid,
            returned=original.returned,
        )
        detail = {"about": original.id, "recipients": len(outcomes), "action": outcomes[0].action.value}
        return self._compose(tenant, to, build_dsn(report), detail)

    async def report(self, organisation: str, to: Address, original: Original, outcomes: Sequence[Outcome]) -> None:
        """Compose and store one DSN. Raises `SpoolUnavailable`."""
        await self._put(self.compose(organisation, to, original, outcomes))

    async def digest(self, organisation: str, held: Mapping[str, int], observed: Sequence[str] = ()) -> None:
        """Tell the owner of held mail what waits: reasons and numbers, no address (DESIGN §4 Hold).

        `observed`: lines about mail that rules would have stopped and only reported.
        """
        tenant = self.tenants[organisation]
        owner = owner_of(tenant.organisation)
        if owner is None or not (held or observed):
            return
        content = _digest(tenant.organisation, held, observed, self._clock())
        await self._put(self._compose(tenant, owner, content, {"digest": sum(held.values())}))

    async def letter(self, organisation: str, letter: Letter) -> bool:
        """Store one letter of the stream `rights` under its own id, so that storing it again changes nothing.

        False where no provider carries that stream, which is logged. Raises `SpoolUnavailable`.
        """
        tenant = self.tenants[organisation]
        provider = route(tenant.organisation, letter.sender.canonical_domain, Stream.RIGHTS)
        if provider is None:
            maillog.trouble("outbox", f"{organisation}: no route for {Stream.RIGHTS.value} mail")
            return False
        person = _NOBODY if letter.anonymous else tenant.pseudonyms.person(letter.to)
        variant, template = _compiled(tenant, letter.mail, provider)
        message = NewMessage(
            id=letter.id,
            reference=int(letter.id[:8], 16),
            organisation=organisation,
            client=OWN_CLIENT,
            stream=Stream.RIGHTS.value,
            received=letter.made,
            facts=_facts(_RIGHTS_MARKS, letter.sender.canonical_domain, letter.to),
            sealed={"sender": letter.sender.reveal(), "ret": "", "envid": "", "split": False, "headers": ""},
            body=pack({variant: template}),
            rows=(_row(person, provider, variant, letter.to, self._clock()),),
        )
        pseudonym = b"" if letter.anonymous else person.exact
        row = AuditRow(self._clock(), organisation, letter.id, "composed", pseudonym, {"stream": message.stream})
        await self._put((message, row))
        return True

    async def notice(self, organisation: str, subject: str, lines: Sequence[str]) -> None:
        """Tell the owner of held mail something that cannot wait for the digest; no address in it."""
        tenant = self.tenants[organisation]
        owner = owner_of(tenant.organisation)
        if owner is not None:
            content = _own_mail(tenant.organisation, subject, "\n".join(lines) + "\n", self._clock())
            await self._put(self._compose(tenant, owner, content, {"notice": subject}))

    async def _put(self, composed: Composed | None) -> None:
        if composed is not None:
            message, row = composed
            await self._spool.put((message,), (row,))
            self._wake()

    def _compose(self, tenant: Tenant, to: Address, content: bytes, detail: Mapping[str, object]) -> Composed | None:
        organisation = tenant.organisation
        sender = Address.parse(organisation.postmaster)
        provider = route(organisation, sender.canonical_domain, Stream.PERSONAL)
        if provider is None:
            maillog.trouble(
                "outbox", f"{organisation.name}: no route for {Stream.PERSONAL.value} mail of the postmaster"
            )
            return None
        message = self._message(tenant, to, content, provider)
        person = message.rows[0].person_exact
        return message, AuditRow(message.received, organisation.name, message.id, "composed", person, detail)

    def _message(self, tenant: Tenant, to: Address, content: bytes, provider: Provider) -> NewMessage:
        now = self._clock()
        variant, template = _compiled(tenant, content, provider)
        domain = Address.parse(tenant.organisation.postmaster).canonical_domain
        return NewMessage(
            id=secrets.token_hex(10),
            reference=secrets.randbits(32),
            organisation=tenant.organisation.name,
            client=OWN_CLIENT,
            stream=Stream.PERSONAL.value,
            received=now,
            facts=_facts(_MARKS, domain, to),
            sealed={"sender": "", "ret": "", "envid": "", "split": False, "headers": ""},
            body=pack({variant: template}),
            rows=(_row(tenant.pseudonyms.person(to), provider, variant, to, now),),
        )


def _compiled(tenant: Tenant, content: bytes, provider: Provider) -> tuple[str, Template]:
    variant = str(Variant(tenant.organisation.language))
    return variant, compile_template(Draft(parse(content)), seven_bit=not provider.eight_bit)


def _facts(marks: Classification, domain: str, to: Address) -> dict[str, object]:
    return {"classification": marks.to_json(), "from_domain": domain, "smtputf8": not to.ascii_only}


def _row(person: Person, provider: Provider, variant: str, to: Address, now: float) -> NewRow:
    return NewRow(
        person_exact=person.exact,
        person_wide=person.wide,
        state=State.QUEUED,
        provider=provider.name,
        variant=variant,
        sealed={"address": to.reveal(), "notify": ["NEVER"], "orcpt": "", "slots": {}},
        due=now,
    )


def owner_of(organisation: Organisation) -> Address | None:
    """Who looks after held mail, or None when the settings name nobody who can be reached."""
    try:
        return Address.parse(organisation.hold_owner or organisation.postmaster)
    except InvalidAddress:
        return None


_WAITS = (
    "Deze mail wacht op een besluit (briefgeheim queue list --state held).\n"
    "This mail waits for a decision (briefgeheim queue list --state held).\n\n"
)
_OBSERVED = (
    "Deze regels zouden mail hebben geweigerd en meldden dat alleen (observe).\n"
    "These rules would have refused mail and only reported it (observe).\n\n"
)


def _digest(organisation: Organisation, held: Mapping[str, int], observed: Sequence[str], now: float) -> bytes:
    waiting = "".join(f"{number:6}  {reason}\n" for reason, number in sorted(held.items()))
    seen = "".join(f"{line}\n" for line in observed)
    text = "\n".join(head + lines for head, lines in ((_WAITS, waiting), (_OBSERVED, seen)) if lines)
    return _own_mail(organisation, f"Vastgehouden mail / Held mail: {sum(held.values())}", text, now)


def _own_mail(organisation: Organisation, subject: str, text: str, now: float) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Briefgeheim <{organisation.postmaster}>"
    mail["To"] = organisation.hold_owner or organisation.postmaster
    mail["Subject"] = subject
    mail["Date"] = formatdate(now)
    mail["Message-ID"] = f"<{secrets.token_hex(10)}@{organisation.postmaster.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
