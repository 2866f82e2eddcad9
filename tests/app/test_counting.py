"""Opt-outs of the page are counted once each, by whom and wherever they are taken in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gateway.app.counting import OptOutCount
from gateway.facts import Scope, ScopeKind
from gateway.registry.journal import Journal
from gateway.registry.places import web_journal
from gateway.token import OptOut

LIST, ALL = Scope(ScopeKind.LIST, 7), Scope(ScopeKind.MARKETING)


def opt_out(scope: Scope, number: int = 1) -> OptOut:
    return OptOut(1, bytes([number]) * 32, 0, scope, 20_000, number)


def page(folder: Path, name: str = "school") -> Journal:
    path = web_journal(folder / "web", name)
    path.parent.mkdir(exist_ok=True)
    return Journal.ensure(path, organisation=1)


def count(folder: Path) -> OptOutCount:
    return OptOutCount(folder, folder / "web", ["school", "other"])


def test_each_opt_out_counts_once_by_kind_of_scope(tmp_path: Path) -> None:
    counted = count(tmp_path)
    assert counted.new() == Counter()
    journal = page(tmp_path)
    journal.append_opt_outs([opt_out(LIST), opt_out(LIST, 2), opt_out(ALL)], 1)
    assert counted.new() == Counter({("school", "list"): 2, ("school", "marketing"): 1})
    assert counted.new() == Counter()
    page(tmp_path, "other").append_opt_outs([opt_out(LIST)], 1)
    journal.append_opt_outs([opt_out(ALL, 3)], 2)
    assert counted.new() == Counter({("other", "list"): 1, ("school", "marketing"): 1})


def test_a_restart_goes_on_where_the_count_stood(tmp_path: Path) -> None:
    journal = page(tmp_path)
    journal.append_opt_outs([opt_out(LIST)], 1)
    assert count(tmp_path).new().total() == 1
    journal.append_opt_outs([opt_out(LIST, 2)], 2)  # while no mail worker runs
    assert count(tmp_path).new().total() == 1


def test_another_journal_in_its_place_is_counted_from_its_start(tmp_path: Path) -> None:
    page(tmp_path).append_opt_outs([opt_out(LIST), opt_out(LIST, 2)], 1)
    counted = count(tmp_path)
    assert counted.new().total() == 2
    web_journal(tmp_path / "web", "school").unlink()
    page(tmp_path).append_opt_outs([opt_out(ALL)], 1)
    assert counted.new().total() == 1


def test_a_damaged_journal_or_memory_stops_nobody(tmp_path: Path) -> None:
    page(tmp_path).append_opt_outs([opt_out(LIST)], 1)
    (tmp_path / "opt-outs.json").write_text("[1, 2")
    assert count(tmp_path).new().total() == 1
    web_journal(tmp_path / "web", "school").write_bytes(b"not a journal")
    assert count(tmp_path).new().total() == 0
