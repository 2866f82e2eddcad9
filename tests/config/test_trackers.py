from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from gateway.config.trackers import Trackers
from gateway.config.weburl import Url, read

FILE = Path(__file__).parents[2] / "config" / "trackers.yaml"


@pytest.fixture(scope="module")
def facts() -> Trackers:
    return Trackers.model_validate(YAML(typ="safe").load(FILE))


def url(text: str) -> Url:
    found = read(text)
    assert found is not None
    return found


def test_every_group_of_the_shipped_file_names_source_and_licence(facts: Trackers) -> None:
    groups = (*facts.opens, *facts.clicks, *facts.redirects, *facts.parameters, *facts.exempt)
    assert groups
    assert all(len(group.source) > 10 and len(group.licence) > 2 for group in groups)


def test_every_redirect_of_the_shipped_file_says_where_its_target_is(facts: Trackers) -> None:
    assert all("{target}" in text or "{rest}" in text for group in facts.redirects for text in group.shapes)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://u81.ct.sendgrid.net/wf/open?upn=u001.x", "known-path"),
        ("https://mail.shop.example/wf/open?upn=u001.x", "known-path"),
        ("https://org.us3.list-manage.com/track/open.php?u=1&id=2&e=3", "known-path"),
        ("https://x.r.eu-west-1.awstrack.me/I0/0102/abc=1", "known-path"),
        ("https://www.google-analytics.com/collect?v=1", "known-host"),
        ("https://www.example.org/img/logo.png", ""),
        ("https://notsendgrid.net/logo.png", ""),
        ("https://example.org/email/header.png", ""),
    ],
)
def test_opens_are_known_by_host_or_by_path(facts: Trackers, address: str, kind: str) -> None:
    assert facts.open_kind(url(address)) == kind


def test_parameters_are_known_exactly_or_by_their_beginning_in_any_case(facts: Trackers) -> None:
    assert facts.parameter("utm_anything", "example.org")
    assert facts.parameter("UTM_Source", "example.org")
    assert facts.parameter("mc_eid", "example.org")
    assert not facts.parameter("utmost", "example.org")
    assert not facts.parameter("id", "example.org")
    assert not facts.parameter("pk_id", "example.org")


def test_parameters_of_one_host_count_there_alone() -> None:
    group = {"name": "x", "source": "s", "licence": "l", "names": ["ref"], "hosts": ["shop.example"]}
    facts = Trackers.model_validate({"version": "2026-01-01", "parameters": [group]})
    assert facts.parameter("ref", "www.shop.example")
    assert not facts.parameter("ref", "www.other.example")


def test_a_redirector_gives_its_target_and_others_give_none(facts: Trackers) -> None:
    assert (
        facts.target(url("https://www.google.com/url?sa=t&q=https%3A%2F%2Fexample.org%2Fa")) == "https://example.org/a"
    )
    assert facts.target(url("https://www.example.org/url?q=https%3A%2F%2Fexample.org%2Fa")) == ""
    assert facts.records_click(url("https://u1.ct.sendgrid.net/ls/click?upn=x"))


def test_opt_out_links_and_file_stores_are_left_alone(facts: Trackers) -> None:
    assert facts.leave_alone(url("https://www.example.org/nieuwsbrief/afmelden?utm_source=x"))
    assert facts.leave_alone(url("https://unsubscribe.example.org/?utm_source=x"))
    assert facts.leave_alone(url("https://mcusercontent.com/abc/images/1.png"))
    assert not facts.leave_alone(url("https://www.example.org/agenda?utm_source=afmelden"))


def test_no_facts_know_nothing() -> None:
    facts = Trackers.empty()
    address = url("https://u1.ct.sendgrid.net/wf/open?upn=x")
    assert facts.open_kind(address) == ""
    assert facts.target(address) == ""
    assert not facts.parameter("utm_source", "example.org")
    assert not facts.leave_alone(address)


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": [{"name": "x", "licence": "l", "hosts": ["example.org"]}]},
        {"opens": [{"name": "x", "source": "s", "licence": "l", "hosts": ["*.example.org"]}]},
        {"opens": [{"name": "x", "source": "s", "licence": "l", "shapes": ["/(a+)+$"]}]},
        {"opens": [{"name": "x", "source": "s", "licence": "l", "regex": ["a"]}]},
        {"parameters": [{"name": "x", "source": "s", "licence": "l", "names": ["*"]}]},
        {"exempt": [{"name": "x", "source": "s", "licence": "l", "words": [""]}]},
    ],
)
def test_what_cannot_be_read_is_refused_when_loaded(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Trackers.model_validate({"version": "2026-01-01", **wrong})


def test_pictures_and_pages_by_id_are_common_each_for_what_they_are(facts: Trackers) -> None:
    kept, film = "https://lh3.googleusercontent.com/AbC123xyz987", "https://www.youtube.com/watch?v=AbC123xyz987"
    assert facts.common_picture(url(kept))
    assert not facts.page(url(kept))
    assert not facts.leave_alone(url(kept))  # as a link it is cleaned like others
    assert facts.page(url(film))
    assert not facts.common_picture(url(film))
    assert facts.why(url(film)) == ["exempt, pages-by-id: youtube.com/watch?v"]
    assert not Trackers.empty().page(url(film))
