"""S-31: the checklist of systems outside, from the settings and what is known of the person."""

from __future__ import annotations

from gateway.facts import NOBODY, Facts
from gateway.pseudonym import Person
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.rights.outside import checklist
from tests.rights.house import example

PAREL = example().organisation("kleine-parel")
WHO = Person(b"e" * 32, b"w" * 32)


def shared(name: str) -> tuple[int, Event]:
    return 1, Event(EventKind.SHARED, WHO, 1, Evidence("system"), None,
                    {"third_party": name, "message": "m", "purpose": "order"})  # fmt: skip


def test_every_client_and_provider_is_on_it_and_each_says_what_to_do() -> None:
    listed = checklist(PAREL, NOBODY, [])
    for name in (*(c.name for c in PAREL.clients), *(p.name for p in PAREL.providers)):
        assert sum(name in line for line in listed) == 1
    assert any("Postvakken" in line and "kleine-parel-office" in line for line in listed)
    assert any("2018-05-25" in line for line in listed)
    assert len(listed) == len(PAREL.clients) + len(PAREL.providers) + 2


def test_a_client_gets_its_own_mark_of_the_person_and_not_anothers() -> None:
    facts = Facts(contacts=frozenset({("kleine-parel-crm", "c-1"), ("kleine-parel-webshop", "w-2")}))
    listed = checklist(PAREL, facts, [])
    (crm,) = (line for line in listed if "kleine-parel-crm" in line)
    assert "c-1" in crm
    assert "w-2" not in crm


def test_third_parties_are_those_of_the_ledger_also_when_the_settings_forgot_them() -> None:
    listed = checklist(PAREL, NOBODY, [shared("aanbieder-bewegen"), shared("aanbieder-weg"), shared("aanbieder-weg")])
    assert sum("Aanbieder Bewegen" in line for line in listed) == 1
    assert sum("aanbieder-weg" in line and "zelf" in line for line in listed) == 1
    assert not any("Aanbieder Boeken" in line for line in listed)


def test_it_is_in_the_organisations_language() -> None:
    english = PAREL.model_copy(update={"language": "en"})
    assert any(line.startswith("Backups") for line in checklist(english, NOBODY, []))
