"""The desk of requests: each step of a case, what it puts in force, and the mail it causes.

what:       open, note, verify, extend, complete, announce, lift, close, and what to do about a failed mail
takes→gives: what an operator decided → one commit in the cases with the mail it causes; effects before or between
knows not:  SQL, SMTP, what a right does in registry and spool (`Effects`)
fails by:   `DeskRefused`; `EffectRefused`, `RegistryUnavailable`, `CasesUnavailable`, `CaseChanged`, `NoSuchCase`
standard:   GDPR 12, 15-21; S-28..S-36, S-57, S-62, S-63, S-66; L-13, L-14, L-18; DESIGN §4 Outbox

Order of a completion, so that a crash anywhere loses no notice: notices are prepared and stored; the effects are
carried out; the step is stored and the notices are let go. Doing it again after a crash finds what is prepared.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from gateway.cases.protocol import (
    Case,
    CaseKind,
    CaseState,
    CaseStore,
    Change,
    Channel,
    Content,
    MailKind,
    MailState,
    NewCase,
    NewOutgoing,
    Outcome,
    Outgoing,
    Step,
)
from gateway.config.organisation import Organisation
from gateway.facts import Scope
from gateway.pseudonym import Person
from gateway.rights import deadlines
from gateway.rights.closing import OWN, finish_if_done
from gateway.rights.protocol import Choices, Completion, Effects, Notice, NoticeKind
from gateway.rights.replies import Letters

_CODE_OCTETS = 5
_SCOPED = (CaseKind.OBJECTION, CaseKind.WITHDRAWAL)


class DeskRefused(Exception):
    """This step cannot be taken now; the text says why and what to do, without an address."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as an operator enters it. `doubt`: reasonable doubt about who asks (GDPR 12(6))."""

    kind: CaseKind
    received: date
    channel: Channel
    operator: str
    address: str = field(default="", repr=False)
    person: Person | None = None
    name: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    language: str = ""
    scope: Scope | None = None
    new_address: str = field(default="", repr=False)
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    case: Case
    deadline: deadlines.Deadline
    done: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """Of one organisation. `clock` gives Unix seconds."""

    organisation: Organisation
    store: CaseStore
    effects: Effects
    clock: Callable[[], float]

    @property
    def letters(self) -> Letters:
        return Letters(self.organisation)

    async def open(self, request: Request) -> Opened:
        """Enter a request. Sending is blocked before anything is stored, so that a crash errs on that side."""
        self._complete_enough(request)
        entered = self.clock()
        terms = deadlines.deadline(self.organisation.rights, request.kind, request.received)
        case = _draft(request, entered, terms, request.language or self.organisation.language)
        done = await self.effects.begin(case) if case.person else ["no address known: nothing to block"]
        new = NewCase(
            kind=case.kind,
            state=case.state,
            channel=case.channel,
            received=case.received,
            entered=entered,
            due=case.due,
            ceiling=case.ceiling,
            scope=case.scope,
            effective=self.clock(),
            content=case.content,
        )
        step = Step(self.clock(), request.operator, "opened", "; ".join(done))
        return Opened(await self.store.open(new, step, self._welcome(case)), terms, tuple(done))

    async def verify(self, number: int, operator: str, *, code: str = "", how: str = "") -> Case:
        """The person proved to hold the mailbox: by the code that was sent there, or as `how` says (L-14)."""
        case = await self.store.case(number)
        if case.state is not CaseState.PENDING:
            raise DeskRefused(f"case {number} awaits no proof; it is {case.state}")
        if code and not hmac.compare_digest(code.strip().upper(), case.content.code):
            raise DeskRefused("this is not the code that was sent for this case")
        if not code and not how.strip():
            raise DeskRefused("expected --code, or --how to say what proved the mailbox")
        proven = replace(case, state=CaseState.OPEN)
        done = await self.effects.begin(proven) if case.person else []
        step = Step(self.clock(), operator, "identity proven", "; ".join([how or "by the code", *done]))
        return await self.store.step(case, step, Change(state=CaseState.OPEN))

    async def note(self, number: int, operator: str, text: str) -> Case:
        """Add a note; it is sealed and goes with the case."""
        case = await self._open_case(number)
        content = replace(case.content, notes=(*case.content.notes, text))
        return await self.store.step(case, Step(self.clock(), operator, "noted"), Change(content=content))

    async def extend(self, number: int, operator: str, reason: str) -> Case:
        """Two months more: only once, with a reason, and only if its notice leaves inside the first month (S-57)."""
        case = await self._open_case(number)
        now = self.clock()
        if not self.organisation.rights.extension or case.kind.answered_only:
            raise DeskRefused("what was promised leaves no room for an extension of this request (`rights.extension`)")
        if case.extended or case.answered:
            raise DeskRefused("this request was extended or answered already")
        if not reason.strip():
            raise DeskRefused("expected a reason, which the person is told (GDPR 12(3))")
        if not deadlines.may_extend(case.received, self._day(now)):
            raise DeskRefused("the first month is over: its end was the last day to tell the person of an extension")
        if not case.content.address:
            raise DeskRefused("no mail address known: the notice of an extension cannot be sent from here")
        due = deadlines.extended(case.received)
        notice = self.letters.extension(case, due, reason.strip(), now)
        step = Step(now, operator, "extended", reason)
        return await self.store.step(case, step, Change(due=due, extended=True), [notice])

    async def complete(self, number: int, choices: Choices) -> tuple[Case, Completion]:
        """Carry out what was asked, or with `grant` False refuse it. Safe to repeat after a crash."""
        case = await self._open_case(number)
        self._may_complete(case, choices)
        if choices.grant and case.person is not None:
            case = await self._prepare_notices(case, choices)
        done = await self._carry_out(case, choices)
        prepared = {row.third_party for row in await self.store.outgoing(number) if row.kind is MailKind.NOTICE}
        more = [self._notice(case, n, MailState.QUEUED) for n in done.notices if n.third_party not in prepared]
        content = replace(
            case.content,
            report=done.report,
            kept=tuple((item.what, item.why, item.until) for item in done.kept),
            outside=done.outside,
        )
        waiting = CaseState.WAITING if more or prepared else CaseState.OPEN
        change = Change(state=waiting, outcome=done.outcome, completed=self.clock(), content=content)
        step = Step(self.clock(), choices.operator, f"completed: {done.outcome}", choices.reason)
        return await self.store.step(case, step, change, more, done.papers, release=True), done

    async def announce(self, number: int, operator: str, reason: str) -> Case:
        """Tell the person that the restriction will be lifted; `lift` follows once that mail is delivered (S-63)."""
        case = await self._restricted(number)
        if not reason.strip():
            raise DeskRefused("expected a reason, which the person is told")
        if any(
            row.kind is MailKind.ANNOUNCEMENT and row.state is not MailState.FAILED for row in await self._mail(case)
        ):
            raise DeskRefused("this was announced already")
        mail = self.letters.announcement(case, reason.strip(), self.clock())
        step = Step(self.clock(), operator, "lifting announced", reason)
        return await self.store.step(case, step, Change(state=CaseState.WAITING), [mail])

    async def lift(self, number: int, operator: str, reason: str, *, told: str = "") -> tuple[Case, Completion]:
        """End a restriction whose end was announced by a delivered mail, or as `told` says."""
        case = await self._restricted(number)
        announced = [row for row in await self._mail(case) if row.kind is MailKind.ANNOUNCEMENT]
        if not told.strip() and not any(row.state is MailState.DELIVERED for row in announced):
            raise DeskRefused("the person must know before: announce it, and wait until that mail is delivered (S-63)")
        for row in announced:
            await self.store.settled(row.id, MailState.TOLD, told, self.clock())
        choices = Choices(operator, int(self.clock()), reason, lift=True)
        done = await self.effects.complete(case, choices)
        notices = [self._notice(case, notice, MailState.QUEUED) for notice in done.notices]
        step = Step(self.clock(), operator, "restriction lifted", reason)
        change = Change(state=CaseState.WAITING, ended=self.clock())
        lifted = await self.store.step(case, step, change, notices)
        await self._finish(lifted)
        return lifted, done

    async def close(
        self, number: int, operator: str, *, text: str = "", outcome: Outcome | None = None, by: Channel = Channel.EMAIL
    ) -> Case:
        """Answer. By mail the case ends when that mail is delivered; in another way it ends at once."""
        case = await self._open_case(number)
        outcome = await self._may_close(case, text, outcome)
        mail = []
        if by is Channel.EMAIL:
            if not case.content.address:
                raise DeskRefused("no mail address known: answer in another way, and say so with --by")
            papers = await self.store.papers(number)
            mail = [self.letters.reply(case, outcome, text, self.clock(), papers)]
        for row in await self._mail(case):  # an earlier reply that did not arrive is made up for by this one
            if row.kind is MailKind.REPLY:
                await self.store.settled(row.id, MailState.TOLD, f"answered by {by}", self.clock())
        now = self.clock()
        stays = case.kind is CaseKind.RESTRICTION and outcome in (Outcome.GRANTED, Outcome.PARTLY)
        state = CaseState.WAITING if mail or not stays else CaseState.OPEN
        change = Change(state=state, outcome=outcome, answered=now, ended=None if stays else now)
        closed = await self.store.step(case, Step(now, operator, f"answered by {by}"), change, mail)
        await self._finish(closed)
        return closed

    async def withdraw(self, number: int, operator: str, reason: str, *, by: Channel = Channel.EMAIL) -> Case:
        """The person takes the request back, or it was entered by mistake: undo what intake did, and say so."""
        case = await self._open_case(number)
        if case.completed:
            raise DeskRefused(f"case {number} was completed already: {case.outcome}")
        if not case.kind.answered_only:
            await self.complete(number, Choices(operator, int(self.clock()), reason, grant=False))
        return await self.close(number, operator, text=reason, outcome=Outcome.TAKEN_BACK, by=by)

    async def told(self, number: int, mail: str, operator: str, how: str) -> Case:
        """A notice that did not arrive, or an announcement: they were told in another way."""
        case = await self.store.case(number)
        row = await self._failed(case, mail)
        await self.store.settled(row.id, MailState.TOLD, "in another way", self.clock())
        step = Step(self.clock(), operator, f"{row.kind} {row.third_party}".strip() + ": told in another way", how)
        return await self._after(await self.store.step(case, step))

    async def resend(self, number: int, mail: str, operator: str) -> Case:
        """A mail that failed goes out once more, to where the settings say today."""
        case = await self.store.case(number)
        row = await self._failed(case, mail)
        again = self._again(case, row, await self.store.mail(row.id))
        await self.store.settled(row.id, MailState.TOLD, "sent again", self.clock())
        step = Step(self.clock(), operator, f"{row.kind} {row.third_party}".strip() + ": sent again")
        return await self.store.step(case, step, Change(state=CaseState.WAITING), [again])

    def _again(self, case: Case, row: Outgoing, old: NewOutgoing) -> NewOutgoing:
        if row.kind is MailKind.NOTICE:
            kinds = {
                CaseKind.ERASURE: NoticeKind.ERASURE,
                CaseKind.RECTIFICATION: NoticeKind.RECTIFICATION,
                CaseKind.RESTRICTION: NoticeKind.RESTRICTION_LIFTED if case.ended else NoticeKind.RESTRICTION,
            }
            return self._notice(case, Notice(row.third_party, kinds[case.kind]), MailState.QUEUED)
        return replace(old, id=secrets.token_hex(10), state=MailState.QUEUED)

    async def _prepare_notices(self, case: Case, choices: Choices) -> Case:
        """Store the notices before the effects: an erasure takes away the ledger they come from."""
        if any(row.kind is MailKind.NOTICE for row in await self._mail(case)):
            return case
        notices = [self._notice(case, notice, MailState.PREPARED) for notice in await self.effects.notices(case)]
        return await self.store.step(case, Step(self.clock(), choices.operator, "carrying out"), Change(), notices)

    async def _carry_out(self, case: Case, choices: Choices) -> Completion:
        if case.person is not None:
            return await self.effects.complete(case, choices)
        if choices.grant:
            return Completion(Outcome.GRANTED)
        return Completion(Outcome.REFUSED, report=(choices.reason,) if choices.reason else ())

    def _notice(self, case: Case, notice: Notice, state: MailState) -> NewOutgoing:
        return self.letters.notice(case, notice, self.clock(), state)

    def _welcome(self, case: Case) -> list[NewOutgoing]:
        """At most one mail: a code where identity is in doubt, else a receipt. An erasure gets its one reply only."""
        if not case.content.address:
            return []
        if case.state is CaseState.PENDING:
            return [self.letters.proof(case, self.clock())]
        if self.organisation.rights.confirm and case.kind is not CaseKind.ERASURE:
            return [self.letters.receipt(case, self.clock())]
        return []

    def _complete_enough(self, request: Request) -> None:
        if request.kind in _SCOPED and request.scope is None and request.person is not None:
            raise DeskRefused(f"{request.kind}: expected --scope, as marketing, list:NAME or purpose:research")
        if request.kind is CaseKind.RECTIFICATION and request.person is not None and not request.new_address:
            raise DeskRefused("rectification: expected --new-address-file or --new-to with the right address")
        if not request.address and not request.name:
            raise DeskRefused("expected --to or --name: whom is this request about?")

    def _may_complete(self, case: Case, choices: Choices) -> None:
        if case.kind.answered_only:
            raise DeskRefused(f"a {case.kind} needs an answer only: close it with the text")
        if case.completed:
            raise DeskRefused(f"case {case.number} was completed already: {case.outcome}")
        if case.state is CaseState.PENDING and choices.grant:
            raise DeskRefused("the person has not proven to hold this mailbox yet: `rights verify`, or refuse it")
        if not choices.grant and not choices.reason.strip():
            raise DeskRefused("a refusal needs a reason, which the person is told (GDPR 12(4))")

    async def _may_close(self, case: Case, text: str, outcome: Outcome | None) -> Outcome:
        if case.answered:
            raise DeskRefused(f"case {case.number} was answered already")
        if case.kind.answered_only:
            if not text.strip() and outcome is not Outcome.TAKEN_BACK:
                raise DeskRefused("expected the text of the answer, from --text-file or standard input")
            return outcome or Outcome.ANSWERED
        if not case.completed or case.outcome is None:
            raise DeskRefused(f"case {case.number} was not completed yet: `rights complete`, or refuse it there")
        for row in await self._mail(case):
            if row.kind is MailKind.NOTICE and row.state is MailState.FAILED:
                raise DeskRefused(
                    f"notice {row.id} to {row.third_party} did not arrive: `rights resend`, `rights told`"
                )
            if row.kind is MailKind.NOTICE and row.state.under_way:
                raise DeskRefused(
                    f"notice {row.id} to {row.third_party} is still under way: close when it is delivered"
                )
        return outcome or case.outcome

    async def _open_case(self, number: int) -> Case:
        case = await self.store.case(number)
        if case.state is CaseState.CLOSED or case.ended:
            raise DeskRefused(f"case {number} was answered and ends when its mail is delivered")
        return case

    async def _restricted(self, number: int) -> Case:
        case = await self._open_case(number)
        if case.kind is not CaseKind.RESTRICTION or not case.answered:
            raise DeskRefused(f"case {number} is no restriction in force that was answered")
        return case

    async def _failed(self, case: Case, mail: str) -> Outgoing:
        row = next((row for row in await self._mail(case) if row.id == mail), None)
        if row is None:
            raise DeskRefused(f"case {case.number} has no mail {mail}")
        if row.state is not MailState.FAILED:
            raise DeskRefused(f"mail {mail} did not fail; it is {row.state}")
        return row

    async def _mail(self, case: Case) -> Sequence[Outgoing]:
        return await self.store.outgoing(case.number)

    async def _after(self, case: Case) -> Case:
        """A case whose last failed mail was settled by hand waits for nothing more."""
        if await self._finish(case):
            return case
        if case.state is CaseState.WAITING and not any(r.state.under_way for r in await self._mail(case)):
            step = Step(self.clock(), OWN, "mail settled")
            return await self.store.step(case, step, Change(state=CaseState.OPEN))
        return case

    async def _finish(self, case: Case) -> bool:
        return await finish_if_done(self.organisation, self.store, case, self.clock(), self.effects.closed)

    def _day(self, at: float) -> date:
        return deadlines.day_of(at, self.organisation.time_zone)


def _draft(request: Request, entered: float, terms: deadlines.Deadline, language: str) -> Case:
    """The case as effects see it before it has a number."""
    doubt = request.doubt and request.person is not None
    content = Content(
        address=request.address,
        name=request.name,
        text=request.text,
        language=language,
        new_address=request.new_address,
        code=secrets.token_hex(_CODE_OCTETS).upper() if doubt else "",
    )
    return Case(
        number=0,
        version=0,
        kind=request.kind,
        state=CaseState.PENDING if doubt else CaseState.OPEN,
        channel=request.channel,
        received=request.received,
        entered=entered,
        due=terms.due,
        extended=False,
        ceiling=terms.ceiling,
        outcome=None,
        scope=request.scope,
        person=request.person,
        effective=0.0,
        completed=0.0,
        answered=0.0,
        ended=0.0,
        content=content,
    )
