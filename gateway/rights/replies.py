"""Letters about a request: receipt, proof, extension, announcement, the closing reply; notices to third parties.

what:       which text fits, what is filled in, and the whole mail around it
takes→gives: organisation, `Case`, `Notice` → `NewOutgoing` with the mail as it will leave
knows not:  when a letter is due, registry, spool, SMTP
fails by:   `KeyError` for a text that is missing (a test renders them all)
standard:   GDPR 12(3), 12(4), 18(3), 19; S-32, S-33, S-36, S-62, S-63; RFC 5322, RFC 3834
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate

from gateway.address import Address
from gateway.cases.protocol import Case, CaseKind, Content, MailKind, MailState, NewOutgoing, Outcome, Paper
from gateway.config.organisation import Organisation
from gateway.rights.protocol import Notice, NoticeKind
from gateway.rights.wording import fill, long_date, section, word

_TELLS_WHY = (Outcome.REFUSED, Outcome.TAKEN_BACK, Outcome.ANSWERED)


def new_id() -> str:
    """20 hex digits: of a mail in the outbox, in the spool, and in its Message-ID."""
    return secrets.token_hex(10)


@dataclass(frozen=True, slots=True)
class Letters:
    """Of one organisation. `now` is Unix seconds everywhere."""

    organisation: Organisation

    def receipt(self, case: Case, now: float) -> NewOutgoing:
        return self._to_person(MailKind.RECEIPT, case, "receipt", {"due": self._day(case.due, case)}, now)

    def proof(self, case: Case, now: float) -> NewOutgoing:
        return self._to_person(MailKind.PROOF, case, "proof", {"code": case.content.code}, now)

    def extension(self, case: Case, due: date, reason: str, now: float) -> NewOutgoing:
        values = {"due": self._day(due, case), "reason": reason}
        return self._to_person(MailKind.EXTENSION, case, "extension", values, now)

    def announcement(self, case: Case, reason: str, now: float) -> NewOutgoing:
        return self._to_person(MailKind.ANNOUNCEMENT, case, "announcement", {"reason": reason}, now)

    def reply(self, case: Case, outcome: Outcome, answer: str, now: float, papers: Sequence[Paper] = ()) -> NewOutgoing:
        """The one that closes: what was done, what stays, why and until when, how to complain."""
        subject, body = self.reply_text(case, outcome, answer)
        return self._outgoing(MailKind.REPLY, case.content.address, subject, body, now, papers=papers)

    def reply_text(self, case: Case, outcome: Outcome, answer: str) -> tuple[str, str]:
        """Subject and body of the closing reply, also for paper."""
        return fill(
            case.content.language, "reply", self._values(case) | _account(case.content, case.kind, outcome, answer)
        )

    def notice(self, case: Case, notice: Notice, now: float, state: MailState) -> NewOutgoing:
        """To the first address of a third party: asks, does not order, says no more than finds the record (S-33)."""
        party = self.organisation.by_third_party[notice.third_party]
        language = self.organisation.language
        references = f" ({word(language, 'references')}: {', '.join(notice.references)})" if notice.references else ""
        values = self._house() | {
            "third_party": party.title,
            "person": case.content.address,
            "references": references,
            "new_person": case.content.new_address if notice.kind is NoticeKind.RECTIFICATION else "",
        }
        subject, body = fill(language, f"notice.{notice.kind.value}", values)
        return self._outgoing(
            MailKind.NOTICE, party.addresses[0], subject, body, now, third_party=notice.third_party, state=state
        )

    def digest(self, late: Sequence[Case], soon: Sequence[Case], now: float) -> NewOutgoing:
        """To the privacy officer: numbers, kinds and days; nobody's name or address."""
        language = self.organisation.language
        lines = [
            f"{word(language, key)} {case.due.isoformat()}  {word(language, 'request')} {case.number}: "
            f"{word(language, case.kind.value)}"
            for key, cases in (("overdue", late), ("due", soon))
            for case in cases
        ]
        values = self._house() | {
            "late": str(len(late)),
            "soon": str(len(soon)),
            "rows": "\n".join(lines),
            "name": self.organisation.name,
        }
        subject, body = fill(language, "digest", values)
        officer = self.organisation.rights.officer or self.organisation.postmaster
        return self._outgoing(MailKind.DIGEST, officer, subject, body, now)

    def _to_person(self, kind: MailKind, case: Case, name: str, values: dict[str, str], now: float) -> NewOutgoing:
        subject, body = fill(case.content.language, name, self._values(case) | values)
        return self._outgoing(kind, case.content.address, subject, body, now)

    def _values(self, case: Case) -> dict[str, str]:
        language = case.content.language
        return self._house() | {
            "received": long_date(case.received, language),
            "kind": word(language, case.kind.value),
        }

    def _house(self) -> dict[str, str]:
        controller, authority = self.organisation.controller, self.organisation.rights.authority
        return {
            "organisation": controller.name,
            "address": controller.postal_address,
            "contact": controller.contact,
            "policy": controller.policy_url,
            "authority": authority.name,
            "authority_address": authority.postal_address,
            "authority_site": authority.site,
        }

    def _day(self, day: date, case: Case) -> str:
        return long_date(day, case.content.language)

    def _outgoing(
        self, kind: MailKind, to: str, subject: str, body: str, now: float, *,
        papers: Sequence[Paper] = (), third_party: str = "", state: MailState = MailState.QUEUED,
    ) -> NewOutgoing:  # fmt: skip
        id = new_id()
        mail = EmailMessage(policy=SMTP.clone(utf8=not Address.parse(to).ascii_only))
        sender = self.sender
        mail["From"] = formataddr((self.organisation.controller.name, sender))
        mail["To"] = to
        mail["Subject"] = subject
        mail["Date"] = formatdate(now)
        mail["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
        if kind is not MailKind.REPLY:  # a person wrote that one
            mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body, cte="quoted-printable")
        for paper in papers:
            main, _, sub = paper.media_type.partition("/")
            mail.add_attachment(paper.content, maintype=main, subtype=sub or "octet-stream", filename=paper.name)
        return NewOutgoing(id, kind, to, mail.as_bytes(), third_party, state)

    @property
    def sender(self) -> str:
        """From address, and reverse-path, of all this mail."""
        return self.organisation.rights.sender or self.organisation.controller.contact


def _account(content: Content, kind: CaseKind, outcome: Outcome, answer: str) -> dict[str, str]:
    """What was done, what stays, and what the operator adds, each as a paragraph of its own or nothing."""
    language = content.language
    done = "\n".join(f"- {line}" for line in content.report)
    if outcome in _TELLS_WHY:
        done = "\n\n".join(content.report)
    elif done:
        done = f"{word(language, 'done')}\n{done}"
    kept = "\n".join(f"- {_kept(language, *item)}" for item in content.kept)
    return {
        "outcome": section(language, "outcomes", f"{kind.value}.{outcome.value}", outcome.value, "answered"),
        "done": _paragraph(done),
        "kept": _paragraph(f"{word(language, 'kept')}\n{kept}" if kept else ""),
        "answer": _paragraph(answer.strip()),
    }


def _kept(language: str, what: str, why: str, until: str) -> str:
    end = word(language, "until-done")
    if until:
        end = word(language, "until", day=long_date(date.fromisoformat(until), language))
    return f"{what}: {why}, {end}"


def _paragraph(text: str) -> str:
    return f"\n{text}\n" if text else ""
