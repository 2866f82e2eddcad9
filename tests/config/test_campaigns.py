"""The division of time that decides how long anything is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from gateway.config.campaigns import Campaigns

DAY = 86400


@pytest.mark.parametrize("keep", ["1d", "7d", "30d"])
def test_nothing_is_older_than_it_may_be(keep: str) -> None:
    settings = Campaigns(keep=keep)  # type: ignore[arg-type]
    now = 1_800_000_123.0
    epoch = settings.epoch(now)
    begun = epoch * settings.epoch_seconds
    assert begun <= now < begun + settings.epoch_seconds
    assert settings.ends(epoch) - begun <= settings.keep.total_seconds()
    assert settings.ends(epoch) > now + settings.epoch_seconds


@pytest.mark.parametrize("keep", ["12h", "31d", "0s"])
def test_what_is_kept_too_short_or_too_long_is_told(keep: str) -> None:
    with pytest.raises(ValidationError, match="from 1d to 30d"):
        Campaigns(keep=keep)  # type: ignore[arg-type]


def test_as_it_comes() -> None:
    settings = Campaigns()
    assert (settings.compare, settings.copies, settings.keep) == (True, 3, timedelta(days=7))
