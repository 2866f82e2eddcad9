"""What each right does, on a real registry and a real queue: the table of expected effects (S-30)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cases.protocol import CaseKind, CaseState, Outcome
from gateway.facts import Purpose, Scope, ScopeKind
from gateway.registry.protocol import EventKind
from gateway.rights.effects import RULES, Rule
from gateway.rights.leaving import forget_due
from gateway.rights.protocol import Choices, EffectRefused, Notice, NoticeKind
from gateway.spool.protocol import State
from tests.rights.house import NOW, WHO, House, house

OTHER = "bert@voorbeeld.example"
LIST = Scope(ScopeKind.LIST, 1)
MARKETING = Scope(ScopeKind.MARKETING)
CHOICES = Choices("els", NOW, "asked by mail")
RESTRICTED, TOMBSTONE = {("restriction", "everything")}, {("erasure", "everything")}


@pytest.fixture
async def parel(tmp_path: Path):
    async with house(tmp_path) as made:
        yield made


async def known(parel: House, *addresses: str) -> None:
    for address in addresses or (WHO,):
        await parel.record(EventKind.CONSENT, address=address, scope=LIST)
        await parel.record(EventKind.CONTACT, address=address, client="kleine-parel-crm", contact=f"c-{address[0]}")


def test_s30_every_kind_of_request_has_a_rule() -> None:
    assert set(RULES) == set(CaseKind)
    assert all(RULES[kind] == Rule() for kind in CaseKind if kind.answered_only)
    assert {kind for kind, rule in RULES.items() if rule.tell} == {
        CaseKind.ERASURE,
        CaseKind.RECTIFICATION,
        CaseKind.RESTRICTION,
    }


async def test_s31_l14_an_erasure_stops_everything_at_intake_and_destroys_the_queue(parel: House) -> None:
    await known(parel, WHO, OTHER)
    await parel.put(WHO, OTHER)
    await parel.put(WHO, state=State.HELD, reason="leak_check: others")
    done = await parel.effects.begin(parel.case(CaseKind.ERASURE))
    assert await parel.blocks() == RESTRICTED
    open_rows = [e for e in parel.queue() if not e.state.final]
    notes = [e for e in open_rows if e.client == "gateway"]
    assert [e.person_exact for e in open_rows if e.client != "gateway"] == [parel.person(OTHER).exact]
    assert len(notes) == 2, "one report to the submitter for each"
    assert done == ["in force: restriction of everything", "queued mail destroyed: 2"]
    assert await parel.blocks(OTHER) == set()


async def test_l14_while_identity_is_in_doubt_mail_is_stopped_and_not_destroyed(parel: House) -> None:
    await known(parel)
    await parel.put(WHO)
    pending = parel.case(CaseKind.ERASURE, state=CaseState.PENDING)
    await parel.effects.begin(pending)
    assert await parel.blocks() == RESTRICTED
    assert [(e.client, e.state) for e in parel.queue()] == [("kleine-parel-crm", State.QUEUED)]
    await parel.effects.begin(replace(pending, state=CaseState.OPEN))
    assert [e for e in parel.queue() if e.client != "gateway"] == []
    assert (await parel.kinds()).count("restriction") == 1, "done twice, put once"


async def test_l14_a_refused_erasure_gives_everything_back(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.ERASURE)
    await parel.effects.begin(case)
    done = await parel.effects.complete(case, replace(CHOICES, grant=False, reason="not the holder of this mailbox"))
    assert (done.outcome, done.report) == (Outcome.REFUSED, ("not the holder of this mailbox",))
    assert await parel.blocks() == set()
    (facts,) = await parel.registry.facts([parel.person()])
    assert facts.consents_to(LIST) is not None


async def test_a_refused_erasure_leaves_the_restriction_of_another_request(parel: House) -> None:
    await known(parel)
    frozen, gone = parel.case(CaseKind.RESTRICTION), parel.case(CaseKind.ERASURE)
    await parel.effects.begin(frozen)
    await parel.effects.begin(gone)
    with pytest.raises(EffectRefused, match="erasure request"):
        await parel.effects.complete(frozen, replace(CHOICES, lift=True))
    await parel.effects.complete(gone, replace(CHOICES, grant=False))
    assert await parel.blocks() == RESTRICTED
    await parel.effects.complete(frozen, replace(CHOICES, lift=True))
    assert await parel.blocks() == set()


async def test_s31_a_completed_erasure_leaves_the_tombstone_only(parel: House) -> None:
    await known(parel, WHO, OTHER)
    await parel.put(WHO, OTHER)
    case = parel.case(CaseKind.ERASURE)
    await parel.effects.begin(case)
    done = await parel.effects.complete(case, CHOICES)
    assert (done.outcome, done.kept) == (Outcome.GRANTED, ())
    assert await parel.blocks() == TOMBSTONE
    assert parel.spools.by_person(parel.person()) == []
    assert len(parel.spools.by_person(parel.person(OTHER))) == 1
    (facts,) = await parel.registry.facts([parel.person()])
    assert (facts.consents, facts.contacts) == ((), frozenset())
    assert await parel.registry.contact("kleine-parel-crm", "c-a") is None
    again = await parel.effects.complete(case, CHOICES)
    assert again.outcome is Outcome.GRANTED
    assert await parel.blocks() == TOMBSTONE


async def test_s31_the_last_traces_go_when_the_case_ends(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.ERASURE)
    await parel.effects.complete(case, CHOICES)
    await parel.audit(parel.row("m9", "refused"))
    await parel.effects.closed(parel.case(CaseKind.ACCESS))
    assert len(parel.spools.by_person(parel.person())) == 1
    await parel.effects.closed(case)
    assert parel.spools.by_person(parel.person()) == []


async def test_a_refused_erasure_that_ends_keeps_the_log(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.ERASURE)
    await parel.effects.begin(case)
    await parel.effects.complete(case, replace(CHOICES, grant=False))
    await parel.audit(parel.row("m9", "refused"))
    await parel.effects.closed(case)
    assert len(parel.spools.by_person(parel.person())) == 1


async def test_s32_l18_the_share_ledger_says_whom_to_tell_and_with_which_order(tmp_path: Path) -> None:
    async with house(tmp_path, "kleine-parel", third_parties=parties()) as made:
        await known(made)
        await made.record(EventKind.ENROLMENT, reference="cursus-3", third_party="aanbieder-1")
        for party, purpose in (("aanbieder-1", "order"), ("aanbieder-2", "order"), ("politie", "legal")):
            await made.record(EventKind.SHARED, third_party=party, message="m1", purpose=purpose)
        await made.record(EventKind.SHARED, address=OTHER, third_party="aanbieder-3", message="m2", purpose="order")
        case = made.case(CaseKind.ERASURE)
        expected = (
            Notice("aanbieder-1", NoticeKind.ERASURE, ("cursus-3",)),
            Notice("aanbieder-2", NoticeKind.ERASURE, ()),
        )
        assert await made.effects.notices(case) == expected
        done = await made.effects.complete(case, CHOICES)
        assert done.notices == expected
        assert any("Aanbieder 1, Aanbieder 2" in line for line in done.report)
        assert await made.effects.notices(case) == ()
        told = [n.kind for n in await made.effects.notices(made.case(CaseKind.RESTRICTION, OTHER))]
        assert told == [NoticeKind.RESTRICTION]
        assert await made.effects.notices(made.case(CaseKind.OBJECTION, OTHER)) == ()


async def test_s31_the_checklist_names_every_system_outside(tmp_path: Path) -> None:
    async with house(tmp_path, third_parties=parties()) as made:
        await known(made)
        await made.record(EventKind.SHARED, third_party="aanbieder-1", message="m1", purpose="order")
        done = await made.effects.complete(made.case(CaseKind.ERASURE), CHOICES)
        listed = "\n".join(done.outside)
        for name in (
            "kleine-parel-crm",
            "kenmerk c-a",
            "kleine-parel-office",
            "myonlinestore",
            "Aanbieder 1",
            "Reserve",
        ):
            assert name in listed
        assert "Aanbieder 2" not in listed
        assert WHO not in listed


async def test_s29_what_the_law_keeps_is_listed_with_reason_and_end(parel: House) -> None:
    await known(parel)
    await parel.record(EventKind.RETAINED, id="factuur-17", reason="AWR 52", until=NOW + 400 * 86400)
    await parel.record(EventKind.RETAINED, id="factuur-1", reason="AWR 52", until=NOW - 86400)
    done = await parel.effects.complete(parel.case(CaseKind.ERASURE), CHOICES)
    (kept,) = done.kept
    assert (done.outcome, kept.why, kept.until) == (Outcome.PARTLY, "AWR 52", "2028-02-19")
    assert "factuur-17" in kept.what
    assert await parel.blocks() == TOMBSTONE, "kept, and not mailable"


async def test_s62_an_open_order_stays_until_it_is_done_and_nothing_else(parel: House) -> None:
    await known(parel)
    for reference in ("order-5", "order-6"):
        await parel.record(EventKind.CONTRACT, reference=reference)
    await parel.record(EventKind.PURCHASE, category=1)
    case = parel.case(CaseKind.ERASURE, language="en")
    await parel.effects.begin(case)
    with pytest.raises(EffectRefused, match="expected any of: order-5, order-6"):
        await parel.effects.complete(case, replace(CHOICES, keep=("order-7",)))
    done = await parel.effects.complete(case, replace(CHOICES, keep=("order-5",)))
    assert done.outcome is Outcome.PARTLY
    assert [(k.what, k.until) for k in done.kept] == [("running order or enrolment, reference order-5", "")]
    (facts,) = await parel.registry.facts([parel.person()])
    assert facts.contracts == {"order-5"}
    assert (facts.consents, facts.purchases, facts.contacts) == ((), (), frozenset())
    blocks = await parel.blocks()
    assert ("objection", "marketing") in blocks
    assert not blocks & (TOMBSTONE | RESTRICTED), "its mail can go until it is done"


async def test_s63_l17_a_restriction_is_lifted_only_by_its_lift_and_lets_held_mail_go(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.RESTRICTION)
    await parel.effects.begin(case)
    kept = await parel.put(WHO, state=State.HELD, reason="restriction everything in force")
    leak = await parel.put(WHO, state=State.HELD, reason="leak_check: others")
    assert (await parel.effects.complete(case, CHOICES)).outcome is Outcome.GRANTED
    assert await parel.blocks() == RESTRICTED
    assert [e.state for e in parel.queue()] == [State.HELD, State.HELD], "held, not dropped"
    done = await parel.effects.complete(case, replace(CHOICES, lift=True))
    assert await parel.blocks() == set()
    assert {e.message: e.state for e in parel.queue()} == {kept: State.QUEUED, leak: State.HELD}
    assert done.outcome is Outcome.GRANTED


async def test_s58_l20_an_objection_to_all_marketing_reaches_profiling_and_tracking(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.OBJECTION, scope=MARKETING)
    await parel.effects.begin(case)
    purposes = {("objection", f"purpose:{int(p)}") for p in (Purpose.TRACKING, Purpose.PROFILING, Purpose.OFFERS)}
    assert await parel.blocks() == {("objection", "marketing")} | purposes
    done = await parel.effects.complete(case, replace(CHOICES, grant=False, reason="no"))
    assert await parel.blocks() == {("objection", "marketing")} | purposes, "no refusal takes it back"
    assert done.outcome is Outcome.REFUSED


@pytest.mark.parametrize("scope", [LIST, Scope(ScopeKind.CATEGORY, 2), Scope(ScopeKind.PURPOSE, 2)])
async def test_s58_a_narrower_objection_reaches_no_further(parel: House, scope: Scope) -> None:
    await parel.effects.begin(parel.case(CaseKind.OBJECTION, scope=scope))
    assert await parel.blocks() == {("objection", str(scope))}


async def test_s65_a_withdrawal_ends_that_consent_and_says_what_it_was(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.WITHDRAWAL, scope=LIST)
    await parel.effects.begin(case)
    assert await parel.blocks() == {("withdrawal", "list:1")}
    done = await parel.effects.complete(case, CHOICES)
    assert done.report == (
        "Uw toestemming is ingetrokken: Nieuwsbrief. Wat eerder met uw toestemming gebeurde, blijft rechtmatig.",
    )
    assert (await parel.kinds()).count("withdrawal") == 1


async def test_a_request_without_its_scope_is_refused_before_anything_happens(parel: House) -> None:
    for kind in (CaseKind.OBJECTION, CaseKind.WITHDRAWAL):
        with pytest.raises(EffectRefused, match="scope"):
            await parel.effects.begin(parel.case(kind))
    assert await parel.kinds() == []


async def test_s28_leaving_ends_all_streams_and_starts_the_purge_clock(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.LEAVING)
    await parel.effects.begin(case)
    assert await parel.blocks() == {("opt-out", "everything")}
    parel.now += 5 * 86400
    done = await parel.effects.complete(case, CHOICES)
    assert "2027-02-14" in done.report[0], "the day counts from the request, not from its completion"
    await parel.effects.complete(case, replace(CHOICES, grant=False, reason="entered by mistake"))
    assert await parel.blocks() == set()


@pytest.mark.parametrize("address", [WHO, "anna.de.vries+x@gmail.com"], ids=["exact", "wide"])
async def test_s28_the_clock_of_leaving_runs_out_at_the_set_day(parel: House, address: str) -> None:
    await parel.record(EventKind.ENROLMENT, address=address, reference="r1")
    case = parel.case(CaseKind.LEAVING, address)
    await parel.effects.begin(case)
    parel.now += 30 * 86400 - 1
    assert (await forget_due(parel.registry, parel.pseudonyms, int(parel.now))).forgotten == 0
    parel.now += 1
    assert (await forget_due(parel.registry, parel.pseudonyms, int(parel.now))).forgotten == 1
    (facts,) = await parel.registry.facts([parel.person(address)])
    assert not facts.enrolments
    assert facts.blocks


async def test_s28_a_leaving_entered_by_mistake_forgets_nobody(parel: House) -> None:
    await known(parel)
    case = parel.case(CaseKind.LEAVING)
    await parel.effects.begin(case)
    await parel.effects.complete(case, replace(CHOICES, grant=False, reason="entered by mistake"))
    assert (await forget_due(parel.registry, parel.pseudonyms, int(parel.now) + 90 * 86400)).forgotten == 0


async def test_l04_a_corrected_address_takes_blocks_along_and_the_old_one_stays_blocked(parel: House) -> None:
    new = "anna@nieuw.example"
    await known(parel)
    await parel.record(EventKind.OPT_OUT, scope=Scope(ScopeKind.SOURCE, 1))
    await parel.put(WHO)
    case = parel.case(CaseKind.RECTIFICATION, new=new)
    await parel.effects.begin(case)
    assert [e.state for e in parel.queue()] == [State.QUEUED]
    assert (await parel.effects.complete(case, CHOICES)).outcome is Outcome.GRANTED
    assert ("opt-out", "source:1") in await parel.blocks(new)
    assert await parel.blocks() >= {("opt-out", "source:1")}
    assert [e for e in parel.queue() if e.client != "gateway"] == []
    count = len(await parel.kinds(new))
    await parel.effects.complete(case, CHOICES)
    assert len(await parel.kinds(new)) == count, "done twice, moved once"


@pytest.mark.parametrize("new", ["", "not an address", "Anna.DeVries@voorbeeld.example."[:-1]])
async def test_a_wrong_new_address_is_refused_and_nothing_moves(parel: House, new: str) -> None:
    await known(parel)
    with pytest.raises(EffectRefused):
        await parel.effects.complete(parel.case(CaseKind.RECTIFICATION, new=new), CHOICES)
    assert await parel.kinds() == ["consent", "fact-contact"]


@pytest.mark.parametrize("kind", [CaseKind.ACCESS, CaseKind.PORTABILITY])
async def test_access_and_portability_change_nothing_and_bring_papers(parel: House, kind: CaseKind) -> None:
    await known(parel)
    assert await parel.effects.begin(parel.case(kind)) == []
    done = await parel.effects.complete(parel.case(kind), CHOICES)
    assert (done.outcome, [p.name for p in done.papers], parel.papers) == (Outcome.GRANTED, ["x.zip"], [kind])
    assert await parel.kinds() == ["consent", "fact-contact"]


async def test_questions_have_no_effects(parel: House) -> None:
    case = parel.case(CaseKind.QUESTION)
    assert await parel.effects.begin(case) == []
    assert (await parel.effects.complete(case, CHOICES)).outcome is Outcome.ANSWERED


def parties():
    from gateway.config.organisation import ThirdParty

    return tuple(
        ThirdParty(
            name=f"aanbieder-{n}", title=f"Aanbieder {n}", addresses=(f"info@aanbieder{n}.example",),
            contract="2026-01-01", rights_clause=True,
        )
        for n in (1, 2, 3)
    )  # fmt: skip
