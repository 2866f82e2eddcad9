"""Which limits hold for one client and stream."""

from __future__ import annotations

from gateway.config.content import Content, limits
from gateway.decision import Stream
from gateway.inspection import Kind


def made(**content: object) -> Content:
    return Content.model_validate(content)


def test_s11_lists_are_judged_in_private_mail_of_the_named_streams() -> None:
    content = made(name_list={"streams": ["personal"]})
    assert limits(content, "office", Stream.PERSONAL, private=True).lists
    assert not limits(content, "office", Stream.PERSONAL, private=False).lists
    assert not limits(content, "office", Stream.PARTICIPATION, private=True).lists
    assert limits(made(), "crm", Stream.PARTICIPATION, private=True).lists, "by default"


def test_an_unreadable_file_follows_the_rule_of_the_mail_it_is_in() -> None:
    content = made(name_list={"unreadable": "refuse"}, outside={"unreadable": "hold"})
    assert limits(content, "crm", Stream.PARTICIPATION, private=True).unreadable == "refuse"
    assert limits(content, "crm", Stream.WEBSHOP, private=True).unreadable == "hold"


def test_the_first_exception_that_fits_changes_what_it_names_and_nothing_else() -> None:
    content = made(exceptions=[{"client": "crm", "streams": ["webshop"], "addresses": 9}, {"client": "crm", "bsn": 1}])
    webshop = limits(content, "crm", Stream.WEBSHOP, private=True)
    assert (webshop.addresses, webshop.bsn) == (9, 0)
    other = limits(content, "crm", Stream.PERSONAL, private=True)
    assert (other.addresses, other.bsn, other.unreadable) == (50, 1, "pass")
    assert limits(content, "office", Stream.WEBSHOP, private=True).addresses == 50


def test_each_kind_has_its_own_limit() -> None:
    most = made(name_list={"most": {"birth_date": 3}}).name_list.most
    assert (most.of(Kind.BIRTH_DATE), most.of(Kind.STREET)) == (3, 0)
