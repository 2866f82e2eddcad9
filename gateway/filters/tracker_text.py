"""Addresses that stand in running text: found whole, also where a line ends in the middle of one.

what:       text/plain (fixed and flowed), and addresses that HTML shows as text → cuts
takes→gives: content, `Rules` → `Cut`s with offsets in that content
knows not:  parts, streams
fails by:   nothing: an address that may go on in the next line is left and reported
standard:   R-060; RFC 3676 4 (DelSp); RFC 3986 appendix C (addresses between < and > may hold line ends)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.filters.tracker_links import NOT_CLEANED, Cut, Rules, clean, plain

MARK = b"://"
_URL = re.compile(rb"https?://[^\s<>\"']+", re.IGNORECASE)
_MARKUP_URL = re.compile(rb"https?://(?:[^\s<>\"'&]|&(?:amp;|#38;|#x26;)|&(?![a-z0-9#]{1,12};))+", re.IGNORECASE)
_FLOWED_URL = re.compile(rb"https?://(?:[^\s<>\"']| \r?\n(?=[^\s<>\"']))+", re.IGNORECASE)
_BRACKETED = re.compile(rb"[^\s<>\"']+(?:[ \t]{0,4}\r?\n[ \t]{0,4}[^\s<>\"']+){1,8}[ \t]{0,4}>")
_SOFT = re.compile(rb" \r?\n")
_FOLD = re.compile(rb"[ \t]*\r?\n[ \t]*")
_GOES_ON = re.compile(rb"\r?\n[&?=%#][^\s]")
_TRAILING = b".,;:!?)]}*_"


def text_cuts(content: bytes, rules: Rules, *, joins_lines: bool = False) -> Iterator[Cut]:
    """Of a whole text/plain part. `joins_lines`: its lines are flowed and a space at their end is no part of them."""
    if MARK not in content:
        return
    at = 0
    pattern = _FLOWED_URL if joins_lines else _URL
    while found := pattern.search(content, at):
        start, end = found.span()
        at = end
        whole = _BRACKETED.match(content, start) if content[start - 1 : start] == b"<" else None
        if whole is not None:
            at = end = whole.end() - 1
        written = content[start:end]
        if whole is not None or (joins_lines and b"\n" in written):
            yield from _across_lines(written, start, rules, _FOLD if whole is not None else _SOFT)
        elif _GOES_ON.match(content, end) and clean(written, rules, markup=False):
            yield Cut(end, end, b"", NOT_CLEANED)
        else:
            yield from _moved(_clean(written.rstrip(_TRAILING), rules, markup=False), start)


def shown_cuts(content: bytes, start: int, end: int, rules: Rules) -> Iterator[Cut]:
    """Of a run of text in HTML. What cannot be cleaned is reported where it is linked, not here."""
    for found in _MARKUP_URL.finditer(content, start, end):
        by = found.start()
        for cut in _clean(found[0].rstrip(_TRAILING), rules, markup=True):
            if cut.kind != NOT_CLEANED:
                yield Cut(cut.start + by, cut.end + by, cut.text, cut.kind)


def _clean(address: bytes, rules: Rules, *, markup: bool) -> list[Cut]:
    return [] if plain(address.decode("latin-1"), rules) else clean(address, rules, markup=markup)


def _across_lines(written: bytes, start: int, rules: Rules, join: re.Pattern[bytes]) -> Iterator[Cut]:
    """One address over several lines: taken together, cleaned, and written in one line if anything goes."""
    address = join.sub(b"", written).rstrip(_TRAILING)
    cuts = clean(address, rules, markup=False)
    kinds = [cut.kind for cut in cuts if cut.kind != NOT_CLEANED]
    if kinds:
        kept, at = [], 0
        for cut in cuts:
            kept += [address[at : cut.start], cut.text]
            at = cut.end
        tail = written[len(written.rstrip(_TRAILING)) :]
        yield Cut(start, start + len(written), b"".join(kept) + address[at:] + tail, kinds[0])
    if len(kinds) < len(cuts):
        yield Cut(start + len(written), start + len(written), b"", NOT_CLEANED)


def _moved(cuts: list[Cut], by: int) -> Iterator[Cut]:
    for cut in cuts:
        yield Cut(cut.start + by, cut.end + by, cut.text, cut.kind)
