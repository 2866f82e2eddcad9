"""Words above columns and before values, in Dutch and English: what a column or line holds.

what:       which kind a heading names, whether it names people or places, whether a cell is a person's name
takes→gives: one heading or cell → kind, yes or no; a row → its kinds by column when it is a row of headings
knows not:  values
fails by:   nothing
standard:   S-11
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.inspection import Kind

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.EMAIL, re.compile(r"e-?mail|mailadres|^mail$", re.IGNORECASE)),
    (Kind.BSN, re.compile(r"\bbsn|burger\s?service|\bsofi", re.IGNORECASE)),
    (Kind.BIRTH_DATE, re.compile(r"geboorte?(?:datum|dag|$)|\bgeb\b|birth|\bd\.?o\.?b\b", re.IGNORECASE)),
    (Kind.PHONE, re.compile(r"\btel\b|tel[. ]?n|telefo|phone|mobie?le?|\b(?:gsm|mob)\b|whatsapp|\bfax", re.IGNORECASE)),
    (Kind.POSTCODE, re.compile(r"post\s?code|\bpc\b|\bzip\b|postal", re.IGNORECASE)),
    (Kind.STREET, re.compile(r"(?<!ip-)(?<!ip )(?<!web)adres|\baddress|straat|street", re.IGNORECASE)),
)  # fmt: skip
_PEOPLE = re.compile(
    r"naam|\bname|first ?name|surname|voorletters|initialen|deelnemer|cursist|student|leerling|persoon|medewerker|klant"
    r"|\bleden|\blid\b|participant|attendee|guest|\bouder|contact|relatie|docent|patient|cli[eë]nt|customer|employee|member",
    re.IGNORECASE,
)
_PLACES = re.compile(
    r"locatie|zaal|bedrijf|vestiging|winkel|location|venue|hotel|organisatie|organisation|praktijk|filiaal|school|kantoor"
    r"|leverancier|company|shop|office|receptie|klantenservice|secretariaat|helpdesk|gebouw|afdeling|balie|restaurant",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"^(?:nr|no|#|id|plaats|woonplaats|city|land|country|datum|date|functie|geslacht|m/v|opmerking\w*|titel|aanhef"
    r"|huisn\w*|toevoeging|status|groep|tussenvoegsel|regio|provincie|aantal|betaald|akkoord)\.?$",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][\w.'’-]{0,30}(?:,? [^\W\d_][\w.'’-]{0,30}){1,5}")
_LONGEST, _SHORT = 48, 20
NONE: frozenset[Kind] = frozenset()
_CUT = re.compile(r"\t+| {2,}|[;|,]")


@dataclass(frozen=True, slots=True)
class Heads:
    """The headings of one table. `people`: its rows are about persons, as far as the headings say."""

    kinds: tuple[Kind | None, ...]
    known: tuple[bool, ...]
    people: bool

    def kind(self, column: int) -> Kind | None:
        return self.kinds[column] if column < len(self.kinds) else None

    def named(self, column: int) -> bool:
        """Whether this column has any heading at all."""
        return column < len(self.known) and self.known[column]


def kind_of(heading: str) -> Kind | None:
    """Which kind a heading names."""
    if len(heading) > _LONGEST:
        return None
    return next((kind for kind, words in _KINDS if words.search(heading)), None)


def place(text: str) -> bool:
    """Whether this speaks of a place or firm, whose contact data are no person's."""
    return _PLACES.search(text) is not None


def name_like(cell: str) -> bool:
    """Whether a cell could be somebody's name: two to six words without digits, none of them a heading."""
    if len(cell) > 80 or not _NAME.fullmatch(cell.strip()):
        return False
    return cell[:1].isupper() and kind_of(cell) is None and not place(cell)


def heads(cells: Sequence[str], *, first: bool = False) -> Heads | None:
    """The row as headings: one names a kind and another one looks like a heading too, or it is the only one.

    The `first` row of a table may do with a heading about people and words beside it.
    """
    filled = [cell.strip(" :*") for cell in cells if cell.strip()]
    if not filled or any("@" in c or len(c) > _LONGEST or sum(x.isdigit() for x in c) > 2 for c in filled):
        return None
    kinds = tuple(kind_of(cell.strip(" :*")) if cell.strip() else None for cell in cells)
    said = [c for c in filled if kind_of(c) or _PEOPLE.search(c) or _OTHER.match(c) or place(c)]
    if any(kinds):
        enough = len(said) >= min(2, len(filled))
    else:
        enough = first and len(filled) > 1 and any(len(c) < _SHORT and _PEOPLE.match(c) for c in filled)
    if not enough:
        return None
    someone = any(_PEOPLE.search(c) and not place(c) for c in filled)
    return Heads(kinds, tuple(bool(c.strip()) for c in cells), someone or not any(place(c) for c in filled))


def head_line(line: str) -> frozenset[Kind]:
    """The kinds a line of running text names when it is a row of headings about people, as a table of a PDF begins."""
    bare = line.strip()
    if not bare or len(bare) > 160 or bare.endswith((".", "?", "!")):
        return NONE
    cut = [c for c in _CUT.split(bare) if c.strip()]
    parts = cut if len(cut) > 1 else bare.split()
    if len(parts) < 2 or not all(kind_of(p) or _PEOPLE.search(p) or _OTHER.match(p.strip()) for p in parts):
        return NONE
    people = any(_PEOPLE.search(p) and not place(p) and not kind_of(p) for p in parts)
    return frozenset(kind for p in parts if (kind := kind_of(p)) is not None) if people else NONE
