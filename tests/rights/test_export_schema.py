"""The published schemas are those of the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.rights.export import Profile
from gateway.rights.export_schema import text

SCHEMAS = Path(__file__).parents[2] / "gateway" / "rights" / "schemas"


@pytest.mark.parametrize("profile", [Profile.ACCESS, Profile.PORTABILITY])
def test_the_published_schema_is_that_of_the_tables(profile: Profile) -> None:
    assert (SCHEMAS / profile.schema).read_text("utf-8") == text(profile)


def test_what_was_published_has_no_other_file() -> None:
    assert {p.name for p in SCHEMAS.iterdir()} == {p.schema for p in Profile}
