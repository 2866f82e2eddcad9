"""What counts beside the person when a queued mail is decided again, read anew at that moment.

what:       the same questions as at intake, for the one recipient of this row; the ledger entry of a released share
takes→gives: `Job`, `Party`, time → `Circumstances`
knows not:  facts of the recipient, connections
fails by:   `RegistryUnavailable`
standard:   S-09, S-13, S-39; L-31; DESIGN §1 step 7
"""

from __future__ import annotations

from gateway.decision import Classification
from gateway.delivery.outcome import Job
from gateway.delivery.party import Party
from gateway.policy.circumstances import Circumstances, asks_about, observed, publication_ids
from gateway.policy.sharing import ledger_entry, strangers
from gateway.pseudonym import Person
from gateway.registry.protocol import Event, EventKind, Evidence

# What an operator's release answers: rules that hold mail for a person to judge. Nothing releases a block.
JUDGED = frozenset({"publication", "sensitive", "share"})


async def circumstances(job: Job, party: Party, now: float) -> Circumstances:
    """`now` is Unix seconds. Mail that names no publication and no third party costs no question."""
    mail, entry = job.opened_letter.classification, job.entry
    named = publication_ids(mail)
    published = await party.registry.published(named) if named else frozenset()
    about = await _about(job, party, mail)
    return Circumstances(
        opt_out_works=party.opt_out_works(),
        observed=observed(party.organisation, entry.client, mail, now, before=entry.facts.get("observed") is True),
        published=published,
        about=(await party.registry.facts([about]))[0] if about is not None else None,
        strangers=strangers(party.organisation, mail, [job.opened_letter.address]),
        released=entry.released in JUDGED,
    )


async def note_share(job: Job, party: Party, now: float) -> None:
    """The share ledger learns of mail that an operator released, before it leaves: while it was held it did not (S-13).

    Nothing is noted when the person is not known: then there is nobody to tell about it later.
    """
    mail = job.opened_letter.classification
    if not mail.shared_with or not job.entry.released or job.entry.attempts:
        return
    if (about := await _about(job, party, mail)) is not None:
        evidence = Evidence("system", channel="mail", proof=job.entry.message)
        detail = ledger_entry(mail, job.entry.message)
        await party.registry.record([Event(EventKind.SHARED, about, int(now), evidence, detail=detail)])


async def _about(job: Job, party: Party, mail: Classification) -> Person | None:
    contact = asks_about(mail)
    exact = await party.registry.contact(job.entry.client, contact) if contact else None
    return Person(exact, exact) if exact is not None else None
