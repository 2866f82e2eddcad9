"""Mail of our own making: failure reports and the digest of held mail, straight into the spool.

what:       composes, compiles and stores; one commit with its audit
takes→gives: what became of recipients → a queued DSN to the original return path
knows not:  SMTP, why something failed
fails by:   `SpoolUnavailable`
standard:   RFC 3461 5.2, RFC 3464, RFC 3834; R-014, R-015, R-111, R-114, R-121; DESIGN §4 Outbox, Hold
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from gateway.address import Address, InvalidAddress
from gateway.audit.protocol import AuditRow
from gateway.config.organisation import Organisation, Provider
from gateway.decision import Basis, Classification, Stream, Variant
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.message.report import Outcome, Report, build_dsn
from gateway.message.template import compile as compile_template
from gateway.message.template import pack
from gateway.observe import maillog
from gateway.policy.route import route
from gateway.spool.protocol import NewMessage, NewRow, Spool, State
from gateway.tenant import Tenant

OWN_CLIENT = "gateway"
"""The client name of mail that the gateway itself makes."""
_MARKS = Classification(Stream.PERSONAL, entry="own-report", basis=Basis.LEGAL)


Composed = tuple[NewMessage, AuditRow]
"""A mail of our own making, ready to be put in one commit with what caused it."""


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

    async def digest(self, organisation: str, held: Mapping[str, int]) -> None:
        """Tell the owner of held mail what waits: reasons and numbers, no address (DESIGN §4 Hold)."""
        tenant = self.tenants[organisation]
        owner = owner_of(tenant.organisation)
        if owner is None or not held:
            return
        content = _digest(tenant.organisation, held, self._clock())
        await self._put(self._compose(tenant, owner, content, {"digest": sum(held.values())}))

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
        person = tenant.pseudonyms.person(to)
        variant = str(Variant(tenant.organisation.language))
        template = compile_template(Draft(parse(content)), seven_bit=not provider.eight_bit)
        row = NewRow(
            person_exact=person.exact,
            person_wide=person.wide,
            state=State.QUEUED,
            provider=provider.name,
            variant=variant,
            sealed={"address": to.reveal(), "notify": ["NEVER"], "orcpt": "", "slots": {}},
            due=now,
        )
        domain = Address.parse(tenant.organisation.postmaster).canonical_domain
        return NewMessage(
            id=secrets.token_hex(10),
            reference=secrets.randbits(32),
            organisation=tenant.organisation.name,
            client=OWN_CLIENT,
            stream=Stream.PERSONAL.value,
            received=now,
            facts={"classification": _MARKS.to_json(), "from_domain": domain, "smtputf8": not to.ascii_only},
            sealed={"sender": "", "ret": "", "envid": "", "split": False, "headers": ""},
            body=pack({variant: template}),
            rows=(row,),
        )


def owner_of(organisation: Organisation) -> Address | None:
    """Who looks after held mail, or None when the settings name nobody who can be reached."""
    try:
        return Address.parse(organisation.hold_owner or organisation.postmaster)
    except InvalidAddress:
        return None


def _digest(organisation: Organisation, held: Mapping[str, int], now: float) -> bytes:
    total = sum(held.values())
    mail = EmailMessage()
    mail["From"] = f"Briefgeheim <{organisation.postmaster}>"
    mail["To"] = organisation.hold_owner or organisation.postmaster
    mail["Subject"] = f"Vastgehouden mail / Held mail: {total}"
    mail["Date"] = formatdate(now)
    mail["Message-ID"] = f"<{secrets.token_hex(10)}@{organisation.postmaster.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    lines = [f"{number:6}  {reason}" for reason, number in sorted(held.items())]
    mail.set_content(
        "Deze mail wacht op een besluit (briefgeheim queue list --state held).\n"
        "This mail waits for a decision (briefgeheim queue list --state held).\n\n" + "\n".join(lines) + "\n"
    )
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
