"""The tables are plain and what is portable is among them."""

from __future__ import annotations

from dataclasses import fields

from gateway.rights.tables import PROVIDED, TABLES, columns


def test_every_value_is_a_text_or_a_number() -> None:
    assert {str(f.type) for kind in TABLES.values() for f in fields(kind)} == {"str", "int"}


def test_every_table_has_a_sentence_that_says_what_it_holds() -> None:
    assert all((kind.__doc__ or "").strip() and "(" not in (kind.__doc__ or "")[:1] for kind in TABLES.values())


def test_columns_come_in_their_order() -> None:
    assert columns("retained") == ("id", "reason", "until")
    assert set(PROVIDED) < set(TABLES)
