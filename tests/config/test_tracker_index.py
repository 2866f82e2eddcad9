from __future__ import annotations

import pytest

from gateway.config.tracker_index import Index, by_itself, fitting, named, whole_labels
from gateway.config.weburl import Url, read


def url(text: str) -> Url:
    found = read(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example/x", True),
        ("https://b.example/o/12", True),
        ("https://b.example/deep/o/12", False),
        ("https://c.example/deep/read/12", True),
        ("https://c.example/read/x", False),
        ("https://nota.example.org/", False),
    ],
)
def test_hosts_their_shapes_and_shapes_for_any_host_fit(address: str, expected: bool) -> None:
    shapes = ("b.example/o/{n}", "/read/{n}")
    assert Index(shapes, ("a.example",)).fits(url(address)) is expected
    assert bool(fitting(("a.example",), shapes, url(address))) is expected


def test_no_facts_fit_nothing() -> None:
    assert not Index(()).fits(url("https://a.example/"))


@pytest.mark.parametrize(
    ("text", "itself", "label"),
    [
        ("e.example/click", True, True),
        ("e.example/my-click-now", True, True),
        ("e.example/clicked", False, False),
        ("e.example/go", True, True),
        ("e.example/go.php", True, True),
        ("go.example/x", True, True),
        ("e.example/where-to-go-now", True, False),
        ("e.example/t/12", True, True),
        ("e.example/t/a-title", True, False),
        ("e.example/a-t-b", True, False),
        ("e.example/t1", False, False),
    ],
)
def test_short_words_are_labels_and_long_ones_stand_by_themselves(text: str, itself: bool, label: bool) -> None:
    words = ("click", "go", "t")
    assert (by_itself(words).search(text) is not None) is itself
    assert (whole_labels(words).search(text) is not None) is label


def test_no_words_are_found_nowhere() -> None:
    assert by_itself(()).search("a") is None
    assert whole_labels(()).search("a") is None


def test_names_are_whole_or_begin_so() -> None:
    assert named("utm_x", frozenset({"utm_*"}))
    assert named("a", frozenset({"a"}))
    assert not named("ab", frozenset({"a"}))
