"""Ids in links already sent: never reused, never gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ids
from gateway.config.ids import KnownId
from tests.config.samples import organisation

NEWS = KnownId("alpha", "list", 1, "news")


def found(*remembered: KnownId, **changes: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return list(ids.check(organisation(**changes), remembered))


def test_every_kind_of_id_is_given_out() -> None:
    assert set(ids.ids_of(organisation())) == {
        KnownId("alpha", "organisation", 11, "alpha"),
        KnownId("alpha", "source", 1, "database"),
        NEWS,
        KnownId("alpha", "list", 2, "old"),
        KnownId("alpha", "topic", 1, "music"),
        KnownId("alpha", "category", 1, "books"),
    }


def test_what_was_given_out_and_is_still_there_is_fine() -> None:
    assert found(*ids.ids_of(organisation())) == []


def test_a_vanished_id_says_to_retire_it() -> None:
    [(loc, text)] = found(KnownId("alpha", "list", 3, "agenda"))
    assert loc == ("lists",)
    assert "list 'agenda' (id 3) is gone" in text
    assert "`retired: true`" in text


def test_a_retired_id_is_not_gone() -> None:
    assert found(KnownId("alpha", "list", 2, "old")) == []


@pytest.mark.parametrize("kind", ["source", "list", "topic", "category"])
def test_a_reused_id_says_to_take_a_new_one(kind: str) -> None:
    [(loc, text)] = found(KnownId("alpha", kind, 1, "before"))
    assert loc[1:] == (0, "id")
    assert f"id 1 belonged to {kind} 'before', expected a new id" in text


def test_the_id_of_an_organisation_stays_its_own() -> None:
    [(loc, text)] = found(KnownId("alpha", "organisation", 7, "alpha"))
    assert (loc, "expected 7" in text) == (("id",), True)
    [(loc, text)] = found(KnownId("other", "organisation", 11, "other"))
    assert (loc, "belonged to organisation 'other'" in text) == (("id",), True)


def test_ids_of_other_organisations_do_not_count() -> None:
    assert found(KnownId("beta", "list", 1, "elsewhere")) == []


def test_remembering_only_adds(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert ids.read(state) == frozenset()
    ids.remember(state, [organisation()])
    before = ids.read(state)
    assert before == set(ids.ids_of(organisation()))
    ids.remember(state, [organisation(lists=[])])
    assert ids.read(state) == before
    assert sorted(p.name for p in state.iterdir()) == ["ids.json"]


def test_remembering_nothing_new_does_not_touch_the_file(tmp_path: Path) -> None:
    ids.remember(tmp_path, [organisation()])
    stamp = (tmp_path / "ids.json").stat()
    ids.remember(tmp_path, [organisation()])
    assert (tmp_path / "ids.json").stat().st_ino == stamp.st_ino


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[[1, 2]]", '[["a", "list", "x", "b"]]', "null"])
def test_a_damaged_memory_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "ids.json").write_text(text)
    with pytest.raises(ValueError, match="damaged"):
        ids.read(tmp_path)


def test_the_file_can_be_read_by_people(tmp_path: Path) -> None:
    ids.remember(tmp_path, [organisation()])
    text = (tmp_path / "ids.json").read_text()
    assert list(NEWS) in json.loads(text)
    assert len(text.splitlines()) == 8
