"""CSV and its kin: which sign separates the columns, then rows.

what:       `texts`, `separator`
takes→gives: octets → one `Text` per row, with cells
knows not:  what a column means
fails by:   `TooMuch`; text without columns comes as plain text
standard:   RFC 4180, and what spreadsheets write where the comma is the decimal sign
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator

from gateway.documents import plain
from gateway.documents.protocol import Meter, Text, joined, row

_SIGNS = ";\t,|"
_LINES = 50
_TOLD = re.compile(r"sep=(.)\n", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')


def texts(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """Rows are numbered as a spreadsheet would, the header being row 1."""
    meter.read(len(content))
    yield from rows(plain.decode(content), meter, where)


def rows(text: str, meter: Meter, where: str = "") -> Iterator[Text]:
    """Rows of `text`, or pieces of it where it has no columns."""
    told = _TOLD.match(text)
    sign = told[1] if told else separator(text)
    if not sign:
        yield from plain.pieces(text, meter, where)
        return
    start = told.end() if told else 0
    lines = (line + "\n" for line in text[start:].replace("\0", "").split("\n"))
    reader = csv.reader(lines, delimiter=sign)
    number = read = 0
    try:
        for number, cells in enumerate(reader, 1):
            read = reader.line_num  # a cell may hold line ends
            if cells:
                meter.text()
                yield row(joined(where, f"row {number}"), cells)
    except csv.Error:  # a quotation mark that never closes makes one field of the rest
        rest = "".join(line + "\n" for line in text[start:].split("\n")[read:])
        yield from plain.pieces(rest, meter, joined(where, f"after row {number}"), lines=False)


def separator(text: str) -> str:
    """The sign that cuts most lines of the beginning into the same number of columns; "" for none."""
    sample = [_QUOTED.sub("", line) for line in text[: 256 * 1024].split("\n", _LINES)[:_LINES] if line.strip()]
    best, most = "", 0.0
    for sign in _SIGNS:
        counts = Counter(line.count(sign) for line in sample)
        del counts[0]
        if not counts:
            continue
        columns, lines = counts.most_common(1)[0]
        score = lines / len(sample) + min(columns, 50) / 1000
        if lines * 2 >= len(sample) and score > most:
            best, most = sign, score
    return best
