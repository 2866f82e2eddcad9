"""What follows when the mail of a case got its final status.

what:       ends a case whose mail all arrived; opens it again when one did not
takes→gives: organisation, cases, now → steps taken
knows not:  how mail travels, what a right does
fails by:   `CasesUnavailable`; what `closed` raises
standard:   S-32 (a failed notice keeps the case open), S-33 (one reply closes), S-35
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.cases.protocol import Case, CaseChanged, CaseState, CaseStore, Change, MailKind, MailState, Outgoing, Step
from gateway.config.organisation import Organisation
from gateway.rights.register import registered

Closed = Callable[[Case], Awaitable[None]]
"""What must be done right before a case is forgotten (`Effects.closed`)."""
OWN = "gateway"
_ESSENTIAL = (MailKind.REPLY, MailKind.NOTICE, MailKind.ANNOUNCEMENT)
"""What a case waits for, and is not closed without. A receipt that is late or lost keeps nothing open."""


async def tally(organisation: Organisation, store: CaseStore, now: float, closed: Closed) -> int:
    """Look at every case that waits for its mail. Gives how many took a step."""
    taken = 0
    for case in await store.cases():
        if case.state is not CaseState.WAITING:
            continue
        mail = await store.outgoing(case.number)
        if any(_awaited(row) for row in mail):
            continue
        try:
            taken += await _settle(organisation, store, case, mail, now, closed)
        except CaseChanged:
            pass  # an operator was faster; the next look finds what came of it
    return taken


async def finish_if_done(organisation: Organisation, store: CaseStore, case: Case, now: float, closed: Closed) -> bool:
    """End a case to which nothing more is to be done, once all its mail has arrived."""
    mail = await store.outgoing(case.number)
    if not case.ended or any(_awaited(row) or _failed(row) for row in mail):
        return False
    await closed(case)
    await store.finish(case, Step(now, OWN, "closed"), registered(organisation, case, now))
    return True


async def _settle(
    organisation: Organisation, store: CaseStore, case: Case, mail: list[Outgoing], now: float, closed: Closed
) -> bool:  # fmt: skip
    if await finish_if_done(organisation, store, case, now, closed):
        return True
    failed = [row for row in mail if _failed(row)]
    if case.ended and any(row.kind is not MailKind.REPLY for row in failed):
        # The reply is not what failed: only that notice is still to be settled, by `resend` or `told`.
        change = Change(state=CaseState.OPEN)
    elif any(row.kind is MailKind.REPLY for row in failed):
        change = Change(state=CaseState.OPEN, answered=0.0, ended=0.0)
    else:
        change = Change(state=CaseState.OPEN)
    what = "mail did not arrive: " + ", ".join(sorted({str(row.kind) for row in failed})) if failed else "mail arrived"
    await store.step(case, Step(now, OWN, what), change)
    return True


def _awaited(row: Outgoing) -> bool:
    return row.state.under_way and row.kind in _ESSENTIAL


def _failed(row: Outgoing) -> bool:
    return row.state is MailState.FAILED and row.kind in _ESSENTIAL
