"""Files as other programs write them: each broken row costs itself and nothing behind it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.registry.rows import LINE_LIMIT, Dialect, ImportRefused, Row, Table, open_table

WANTED = {"mail", "list", "note"}


def table(content: str | bytes, dialect: Dialect = Dialect()) -> Table:  # noqa: B008  # a frozen value
    return open_table(io.BytesIO(content.encode() if isinstance(content, str) else content), dialect, WANTED)


def found(content: str | bytes, dialect: Dialect = Dialect()) -> list[tuple[int, list[str] | str]]:  # noqa: B008
    return [(row.number, row.what or row.cells) for row in table(content, dialect)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_line_end_and_byte_order_mark_are_found(delimiter, end, encoding):
    rows = [["Mail", "List"], ["é@x", "a"], ["", ""], ["b", '"q"']]
    content = end.join(delimiter.join(row) for row in rows).encode(encoding)
    assert table(content).header == ["Mail", "List"]
    assert found(content) == [(2, ["é@x", "a"]), (4, ["b", "q"])]


@pytest.mark.parametrize(("encoding", "text"), [("latin-1", "é"), ("windows-1252", "€"), ("utf-16", "€")])
def test_a_named_encoding_is_used(encoding, text):
    codec = {"windows-1252": "cp1252"}.get(encoding, encoding)
    assert found(f"mail\n{text}\n".encode(codec), Dialect(encoding)) == [(2, [text])]


def test_a_named_delimiter_counts_also_where_another_would_fit_better():
    assert table("mail,list;note\n", Dialect("", ";")).header == ["mail,list", "note"]


def test_the_line_that_spreadsheets_write_first_is_understood():
    assert found("sep=|\r\nmail|list\r\na,b|c\r\n") == [(3, ["a,b", "c"])]


def test_the_header_may_be_quoted_and_come_after_empty_lines():
    read = table('\n\n"Mail ";"Li;st"\na;b\n')
    assert read.header == ["Mail", "Li;st"]
    assert [row.number for row in read] == [4]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "line 1: the file is empty"),
        ("\n  \n", "empty"),
        ("mail\n".encode("utf-16"), "line 1: the file is UTF-16, expected utf-8"),
        ("x" * (LINE_LIMIT + 1), "line 1: longer than"),
    ],
)
def test_without_a_header_the_file_is_refused(content, error):
    with pytest.raises(ImportRefused, match=error):
        table(content, Dialect("utf-8"))


def test_utf_16_without_its_mark_is_refused():
    with pytest.raises(ImportRefused, match="byte order mark"):
        table("mail\n".encode("utf-16-le"), Dialect("utf-16"))


@pytest.mark.parametrize(
    ("bad", "column", "what"),
    [
        (b"a,b\0c,d", "list", "NUL"),
        (b"a,b\xe9,d", "list", "encoding"),
        (b"a,b", "", "2 columns, expected 3"),
        (b"a,b,c,d", "", "4 columns, expected 3"),
        (b'a,"b"x,c', "", "not readable as CSV"),
        (b'a,"b,c', "", "columns|not readable as CSV"),
        (b"a," + b"x" * (LINE_LIMIT + 1) + b",c", "", "more than 65536 characters"),
    ],
)
@pytest.mark.parametrize("others", [1, 300, 20_000])
def test_a_broken_row_costs_itself_and_nothing_behind_it(bad, column, what, others):
    good = [b"m%d,l,n" % n for n in range(others)]
    rows = list(table(b"\n".join([b"mail,list,note", b"first,l,n", bad, *good]) + b"\n"))
    assert [row.cells[0] for row in rows if not row.what] == ["first", *(f"m{n}" for n in range(others))]
    (wrong,) = [row for row in rows if row.what]
    assert wrong.number == 3
    assert (wrong.column, any(part in wrong.what for part in what.split("|"))) == (column, True)


@pytest.mark.parametrize(
    ("first", "last", "what"),
    [
        ('a,"b,c', 'd,e",f', "a quoted cell holds whole rows"),
        ('a,"b', 'e"', "2 columns, expected 3"),
        ('"a,b,c', 'd",e,f', "a quoted cell holds whole rows"),
    ],
)
def test_two_stray_quotes_do_not_take_the_rows_between_them_along(first, last, what):
    rows = list(table(f"mail,list,note\n{first}\nm1,l,n\nm2,l,n\n{last}\nm3,l,n\n"))
    assert [row.cells[0] for row in rows if not row.what][:2] == ["m1", "m2"]
    assert (rows[0].number, what in rows[0].what) == (2, True)
    assert rows[-1].cells == ["m3", "l", "n"]


def test_rows_that_are_quoted_over_lines_keep_their_numbers():
    assert found('mail,list\na,"x\ny\r\nz"\nb,c\n') == [(2, ["a", "x\ny\nz"]), (5, ["b", "c"])]


def test_a_million_broken_quotes_cost_a_bounded_number_of_lines_each():
    lines = 3000
    content = "mail,list\n" + 'x","y\n' * lines
    read = table(content)
    asked = 0
    original = type(read._lines).__next__

    class Counting(type(read._lines)):
        def __next__(self) -> str:
            nonlocal asked
            asked += 1
            return original(self)

    read._lines.__class__ = Counting
    assert sum(bool(row.what) for row in read) == lines
    assert asked <= lines * 202


def test_octets_say_how_far_it_is():
    content = b"mail\n" + b"a\n" * 400_000
    read = table(content)
    rows = iter(read)
    next(rows)
    assert 0 < read.octets < len(content)
    assert sum(1 for _ in rows) == 399_999
    assert read.octets == len(content)


# Delimiters or line ends: a cell that holds both may look like a row, which is told of (above).
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r,;\t"), max_size=12
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_what_a_csv_writer_writes_is_read_back(rows, delimiter):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["mail", "list"], *rows])
    expected = [row for row in rows if "".join(row).strip()]
    assert [row.cells for row in table(stream.getvalue())] == expected


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=200) | st.text('a",;\n\r\0', max_size=60).map(str.encode),
    st.sampled_from(["", "utf-16", "windows-1252"]),
)
def test_no_content_raises_anything_but_its_own_error(content, encoding):
    try:
        rows = list(table(b"mail,list\n" + content if not encoding else content, Dialect(encoding)))
    except ImportRefused:
        return
    assert all(isinstance(row, Row) and (row.what or row.cells) for row in rows)
    assert [row.number for row in rows] == sorted({row.number for row in rows})
