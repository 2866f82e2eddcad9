"""What follows from findings: who is stopped, by which limit, and that no value is said."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.content import Content, Limits, limits
from gateway.decision import Action, Stream
from gateway.filters.content_check import Audience, check
from gateway.inspection import MOST, Finding, Inspection, Kind, Unread

STRANGERS, ONE, PARTY, NOBODY = (
    Audience(3, 0, False),
    Audience(1, 0, False),
    Audience(0, 1, False),
    Audience(0, 0, False),
)
PEOPLE = Audience(3, 0, True)


def found(*kinds: tuple[Kind, int], listed: bool = True) -> Inspection:
    made = [
        Finding(kind, f"part 2, row {n}", f"{kind}{n}".encode(), listed) for kind, count in kinds for n in range(count)
    ]
    return Inspection(made)


def rules(private: bool = True, stream: Stream = Stream.PARTICIPATION, **content: Any) -> Limits:
    return limits(Content.model_validate(content), "crm", stream, private=private)


def outcomes(inspection: Inspection, to: Audience, **changes: Any) -> list[tuple[str, Action]]:
    return [(o.kind, o.action) for o in check(inspection, rules(**changes), to)]


@pytest.mark.parametrize("kind", [Kind.EMAIL, Kind.PHONE, Kind.POSTCODE, Kind.STREET, Kind.BIRTH_DATE])
def test_s11_one_value_in_a_list_is_held_for_a_system_and_refused_for_a_person(kind: Kind) -> None:
    assert outcomes(found((kind, 1)), STRANGERS) == [("name-list", Action.HOLD)]
    assert outcomes(found((kind, 1)), PEOPLE) == [("name-list", Action.REFUSE)]
    assert outcomes(found((kind, 1), listed=False), STRANGERS) == []


def test_s11_only_in_mail_of_the_named_streams_to_several() -> None:
    phones = found((Kind.PHONE, 3))
    assert outcomes(phones, STRANGERS, private=False) == []
    assert outcomes(phones, STRANGERS, stream=Stream.NEWSLETTER) == []
    assert outcomes(phones, STRANGERS, stream=Stream.PERSONAL, name_list={"streams": ["personal"]}) != []


def test_s11_to_one_person_one_value_of_each_kind_may_be_their_own() -> None:
    assert outcomes(found((Kind.PHONE, 1), (Kind.STREET, 1)), ONE) == []
    assert outcomes(found((Kind.PHONE, 2)), ONE) == [("name-list", Action.HOLD)]


def test_what_the_settings_allow_passes() -> None:
    assert outcomes(found((Kind.PHONE, 3)), STRANGERS, name_list={"most": {"phone": 3}}) == []
    assert outcomes(found((Kind.PHONE, 4)), STRANGERS, name_list={"most": {"phone": 3}}) == [("name-list", Action.HOLD)]


def test_s53_fifty_of_one_kind_are_held_whoever_sends_them() -> None:
    for to in (STRANGERS, PEOPLE, ONE):
        plain = {"private": False}
        assert outcomes(found((Kind.EMAIL, 50), listed=False), to, **plain) == [("data-of-many", Action.HOLD)]
        assert outcomes(found((Kind.EMAIL, 49), (Kind.PHONE, 49), listed=False), to, **plain) == []
    assert outcomes(found((Kind.EMAIL, 5)), ONE, private=False, outside={"addresses": 5}) == [
        ("data-of-many", Action.HOLD)
    ]


def test_s53_a_third_party_under_contract_gets_them_and_that_is_noted() -> None:
    assert outcomes(found((Kind.EMAIL, 50)), PARTY) == [("given-to-party", Action.DELIVER)]
    assert outcomes(found((Kind.EMAIL, 50)), Audience(1, 1, False), private=False) == [("data-of-many", Action.HOLD)]


def test_s53_more_than_is_counted_is_the_data_of_many() -> None:
    crowded = Inspection(found((Kind.EMAIL, 1), listed=False).findings, crowded=("2", "3"))
    assert outcomes(crowded, STRANGERS) == [("data-of-many", Action.HOLD)]
    assert outcomes(crowded, PARTY) == [("given-to-party", Action.DELIVER)]
    assert outcomes(crowded, NOBODY) == []
    assert outcomes(crowded, STRANGERS, outside={"addresses": MOST + 1}) == []
    [said] = check(crowded, rules(), STRANGERS)
    assert said.detail == f"more than {MOST} values in part 2, 3"


def test_nobody_outside_nothing_to_say() -> None:
    everything = found((Kind.BSN, 3), (Kind.EMAIL, 50))
    assert outcomes(everything, NOBODY) == []


@pytest.mark.parametrize("to", [STRANGERS, ONE, PARTY])
def test_a_service_number_is_stopped_from_the_first_on(to: Audience) -> None:
    assert outcomes(found((Kind.BSN, 1), listed=False), to, private=False) == [("bsn", Action.HOLD)]
    assert outcomes(found((Kind.BSN, 1), listed=False), to, private=False, bsn=1) == []


def test_s11_a_file_nobody_can_look_into() -> None:
    locked = Inspection(unread=[Unread("2", "a password is needed")])
    assert outcomes(locked, STRANGERS) == [("cannot-inspect", Action.HOLD)]
    assert outcomes(locked, STRANGERS, private=False) == [("cannot-inspect", Action.DELIVER)], "counted"
    assert outcomes(locked, STRANGERS, name_list={"unreadable": "pass"}) == [("cannot-inspect", Action.DELIVER)]
    assert outcomes(locked, ONE, private=False, outside={"unreadable": "refuse"}) == [("cannot-inspect", Action.REFUSE)]
    assert outcomes(locked, PARTY) == []


def test_an_exception_holds_for_its_client_and_stream() -> None:
    def content(**condition: Any) -> dict[str, Any]:
        return {"exceptions": [{"addresses": 500, "unreadable": "pass", "most": {"phone": 9}, "bsn": 2, **condition}]}

    many = found((Kind.EMAIL, 60), (Kind.PHONE, 9), (Kind.BSN, 2), listed=False)
    assert outcomes(many, STRANGERS, **content(client="crm")) == []
    assert outcomes(many, STRANGERS, **content(streams=["participation"])) == []
    assert outcomes(many, STRANGERS, **content(client="shop")) != []
    assert outcomes(many, STRANGERS, **content(streams=["webshop"])) != []
    first = {"exceptions": [{"client": "crm", "bsn": 0}, {"bsn": 9}]}
    assert outcomes(found((Kind.BSN, 1)), STRANGERS, **first) == [("bsn", Action.HOLD)], "the first that fits counts"


def test_i7_what_is_said_names_kinds_numbers_and_places() -> None:
    (stopped,) = check(found((Kind.PHONE, 6), (Kind.STREET, 1)), rules(), PEOPLE)
    said = "6 phone, 1 street in part 2, row 0; part 2, row 1; part 2, row 2; part 2, row 3 and elsewhere"
    assert stopped.detail == said
    assert stopped.reply is not None
    assert str(stopped.reply).startswith("550 5.7.1")
    assert said[:20] in str(stopped.reply)


def test_refusals_stand_before_holds_and_notes() -> None:
    everything = found((Kind.BSN, 1), (Kind.EMAIL, 50))
    locked = Inspection(everything.findings, unread=[Unread("3", "damaged")])
    actions = [o.action for o in check(locked, rules(name_list={"unreadable": "pass"}), PEOPLE)]
    assert actions == [Action.REFUSE, Action.REFUSE, Action.HOLD, Action.DELIVER]
