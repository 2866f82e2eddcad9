"""What all settings share: units, names, frozen values."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.base import DomainName, Duration, Name, Octets, Settings

DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)
OCTETS: TypeAdapter[int] = TypeAdapter(Octets)


class Box(Settings):
    """A box."""

    size: int = 1

    @cached_property
    def double(self) -> int:
        return self.size * 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("100ms", 0.1), ("30s", 30), ("5m", 300), ("2h", 7200), ("5d", 432000), (" 1 h ", 3600)]
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert DURATION.validate_python(text).total_seconds() == seconds


@pytest.mark.parametrize("value", ["5", 5, "5 minutes", "-5m", "", "1h30m", None, True])
def test_a_duration_without_a_known_unit_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a duration"):
        DURATION.validate_python(value)


@pytest.mark.parametrize(
    ("text", "octets"), [("500kB", 500_000), ("25MiB", 25 * 2**20), (1024, 1024), ("7", 7), ("1GB", 10**9)]
)
def test_sizes_have_units(text: object, octets: int) -> None:
    assert OCTETS.validate_python(text) == octets


@pytest.mark.parametrize("value", ["25 mb", "-1", 2.5, True, "1TB"])
def test_a_size_in_an_unknown_unit_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a size"):
        OCTETS.validate_python(value)


@pytest.mark.parametrize(
    "value", ["Example.org", "example", "-a.org", "a..org", "a.org.", "münchen.example", "a b.org"]
)
def test_a_domain_is_lower_case_ascii_with_a_dot(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(DomainName).validate_python(value)


def test_names_fit_files_and_urls() -> None:
    assert TypeAdapter(Name).validate_python("kleine-parel_2") == "kleine-parel_2"
    for bad in ("", "-a", "a.b", "a/b", "A", "a" * 64):
        with pytest.raises(ValidationError):
            TypeAdapter(Name).validate_python(bad)


class Mixed(Settings):
    """One of each."""

    number: int = 0
    size: Octets = 0
    answer: bool = False
    text: str = ""


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), ("yes", True), ("no", False)])
def test_an_answer_is_yes_or_no(value: object, expected: bool) -> None:
    assert Mixed.model_validate({"answer": value}).answer is expected


@pytest.mark.parametrize("value", [1, 0, "on", "true", "y", "", None, 1.0, []])
def test_nothing_else_is_an_answer(value: object) -> None:
    with pytest.raises(ValidationError, match="expected yes or no"):
        Mixed.model_validate({"answer": value})


@pytest.mark.parametrize("key", ["number", "size"])
@pytest.mark.parametrize("value", [True, "x", None, 1.5, []])
def test_a_number_is_written_as_a_number(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Mixed.model_validate({key: value})


def test_a_number_in_quotes_is_text() -> None:
    with pytest.raises(ValidationError, match="expected a whole number"):
        Mixed.model_validate({"number": "25"})
    with pytest.raises(ValidationError):
        Mixed.model_validate({"text": 25})
    assert Mixed.model_validate({"size": "25kB"}).size == 25_000


def test_settings_are_frozen_and_know_their_keys() -> None:
    with pytest.raises(ValidationError):
        Box().size = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Box.model_validate({"seize": 1})


def test_a_changed_copy_forgets_what_was_computed() -> None:
    box = Box(size=2)
    assert box.double == 4
    assert box.model_copy(update={"size": 5}).double == 10
    assert box.double == 4
