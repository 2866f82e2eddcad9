"""A trial answers as the registry would after the same events, and leaves the registry as it was."""

from __future__ import annotations

import pytest

from gateway.registry.protocol import EventKind
from gateway.registry.trial import Trial
from tests.registry.conftest import FORM, IMPORT, LIST, MARKETING, event, person

LOOK_ALIKES = (person("eva", "wide.example"), person("e.va+x", "wide.example"))
BATCHES = [
    [event(EventKind.CONSENT, scope=LIST), event(EventKind.ENROLMENT, reference="C1")],
    [event(EventKind.OPT_OUT, scope=MARKETING, at=2000), event(EventKind.LANGUAGE, person("bert"), language="nl")],
    [
        event(EventKind.CONSENT, scope=LIST, evidence=IMPORT, at=3000),
        event(EventKind.CONTACT, client="crm", contact="7"),
    ],
    [event(EventKind.OPT_OUT, LOOK_ALIKES[0], LIST), event(EventKind.CONSENT, LOOK_ALIKES[1], LIST, at=2000)],
    [event(EventKind.ERASURE, person("bert"))],
]
PEOPLE = [person(), person("bert"), person("nobody"), *LOOK_ALIKES]


def told(facts):
    """Facts without the numbers of events, which the registry alone gives."""
    return [
        (
            f.known,
            {(b.kind, b.scope) for b in f.blocks},
            {c.scope for c in f.consents},
            f.enrolments,
            f.language,
            f.contacts,
        )
        for f in facts
    ]


@pytest.mark.parametrize("real", range(len(BATCHES) + 1))
async def test_facts_are_those_of_the_registry_after_the_same_events(registry, open_here, real):
    for batch in BATCHES[:real]:
        await registry.record(batch)
    before = await registry.event_rows(0, 1000)
    trial = Trial(registry)
    for batch in BATCHES[real:]:
        await trial.record(batch)
    seen = told(await trial.facts(PEOPLE))
    assert await registry.event_rows(0, 1000) == before
    for batch in BATCHES[real:]:
        await registry.record(batch)
    assert seen == told(await registry.facts(PEOPLE))
    trial.close()


async def test_history_is_the_real_one_and_what_was_tried(registry):
    await registry.record(BATCHES[0])
    trial = Trial(registry)
    await trial.record([event(EventKind.OPT_OUT, scope=LIST, evidence=FORM)])
    kinds = [e.kind for _, e in await trial.history(person())]
    assert kinds == [EventKind.CONSENT, EventKind.ENROLMENT, EventKind.OPT_OUT]
    assert [e.person for _, e in await trial.history(person())] == [person()] * 3
    trial.close()
