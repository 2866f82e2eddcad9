"""The `classify:` list: what can match, and what an earlier entry takes."""

from __future__ import annotations

import pytest

from gateway.config.check_classify import check_classify, hides, recipient_range
from gateway.config.organisation import When
from tests.config.samples import organisation


def when(**conditions: object) -> When:
    return When.model_validate(conditions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", (1, 1)), ("=1", (1, 1)), (">=2", (2, 10**9)), ("> 2", (3, 10**9)), ("<5", (0, 4)), ("<=5", (0, 5))],
)
def test_numbers_of_recipients_are_read(text: str, expected: tuple[int, int]) -> None:
    assert recipient_range(text) == expected


@pytest.mark.parametrize("text", ["", "many", "<0", "1-5", ">=", "2.5", "-1"])
def test_a_number_that_says_nothing_is_none(text: str) -> None:
    assert recipient_range(text) is None


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({}, {}),
        ({}, {"client": "a"}),
        ({"client": "a"}, {"client": "a"}),
        ({"client": "a"}, {"client": "a", "stream_mark": "newsletter"}),
        ({"from_domain": "a.example"}, {"from_address": "x@a.example"}),
        ({"header": {"X-Shop": None}}, {"header": {"x-shop": "yes"}}),
        ({"header": {"X-Shop": "1"}}, {"header": {"x-shop": "1", "X-More": None}}),
        ({"recipients": ">=2"}, {"recipients": ">5"}),
        ({"recipients": ">=2"}, {"client": "a", "recipients": "2"}),
        ({"list_id": "News.a.example"}, {"list_id": "news.A.example"}),
    ],
)
def test_an_entry_behind_a_wider_one_is_hidden(earlier: dict[str, object], later: dict[str, object]) -> None:
    assert hides(when(**earlier), when(**later))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"client": "a"}, {}),
        ({"client": "a"}, {"client": "b"}),
        ({"client": "a", "stream_mark": "newsletter"}, {"client": "a"}),
        ({"from_address": "x@a.example"}, {"from_domain": "a.example"}),
        ({"header": {"X-Shop": "yes"}}, {"header": {"X-Shop": None}}),
        ({"header": {"X-Shop": "yes"}}, {"header": {"X-Shop": "no"}}),
        ({"recipients": ">=5"}, {"recipients": ">=2"}),
        ({"recipients": "<5"}, {"recipients": ">=2"}),
        ({"recipients": ">=2"}, {"client": "a"}),
        ({"sender_tag": "a"}, {"sender_tag": "b"}),
    ],
)
def test_an_entry_with_something_left_to_match_is_not(earlier: dict[str, object], later: dict[str, object]) -> None:
    assert not hides(when(**earlier), when(**later))


def test_the_good_settings_have_nothing_to_say() -> None:
    assert list(check_classify(organisation())) == []


def test_an_entry_of_another_client_does_not_serve_a_client() -> None:
    settings = organisation(classify=[{"name": "a", "when": {"client": "alpha-crm"}, "stream": "webshop"}])
    [(loc, text)] = check_classify(settings)
    assert loc == ("clients", 1)
    assert "all its mail is refused" in text


def test_the_stream_must_be_the_one_of_the_mark() -> None:
    entry = {"name": "a", "when": {"stream_mark": "newsletter"}, "stream": "webshop"}
    [(loc, text)] = check_classify(organisation(classify=[entry]))
    assert loc == ("classify", 0, "stream")
    assert "the mark says newsletter" in text
