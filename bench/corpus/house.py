"""The gateway's own path for one mail, as `explain` walks it, with a house that nobody lives in.

what:       settings of the examples, keys made up for the run, no registry; a mail → its account and finished copies
takes→gives: `House.ask(raw, way)` → `Answer`
knows not:  what is right; sockets, spool
fails by:   `SystemExit` from settings that cannot be read
"""

from __future__ import annotations

import asyncio
import sys
from copy import copy
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from gateway.address import Address, InvalidAddress
from gateway.app.compose import Dry, dry
from gateway.cli.explain import as_submitted
from gateway.config.load import load
from gateway.explanation import Answer, Question, explain
from gateway.signing.dkim import Signer
from gateway.signing.keys import dns_value

CONFIG = Path(__file__).parents[2] / "config" / "gateway.yaml"
AT = 1_790_000_000.0
"""Unix seconds at which every mail arrives: a run gives the same result on any day."""
READER = "reader@people.example"
GUESTS = tuple(f"guest-{n}@people.example" for n in (1, 2, 3))


class Way(StrEnum):
    """As what a mail is handed in: marketing to one reader, or private mail of an office to many."""

    NEWSLETTER = "newsletter"
    PRIVATE = "private"


_CLIENT = {Way.NEWSLETTER: "rezulto-crm", Way.PRIVATE: "rezulto-office"}
_MARKS = b"Briefgeheim-Stream: newsletter\r\nBriefgeheim-List: onderwijsnieuws\r\nBriefgeheim-Basis: consent\r\n"


@dataclass(slots=True)
class House:
    """One organisation, for one way."""

    way: Way
    dry: Dry
    signer: Signer
    """One of the organisation's keys; parsed once, lent to whatever domain a mail is from."""
    record: str
    keys: dict[str, str] = field(default_factory=dict)
    """What DNS would say, by name, of every domain that was lent to."""

    @classmethod
    def build(cls, way: Way) -> House:
        loaded = load(CONFIG)
        nowhere = loaded.gateway.model_copy(update={"state": Path("/nonexistent")})
        made = dry(replace(loaded, gateway=nowhere), _CLIENT[way], _wrong)
        assert made.spare is not None
        selector, pem = made.spare
        return cls(way, made, Signer("example.org", selector, pem), dns_value(pem, "example.org", selector)[1])

    def ask(self, raw: bytes, people: list[str]) -> Answer:
        """`raw` as a file stores it, to these people."""
        recipients = tuple(a for text in people if (a := _address(text)) is not None)
        question = Question(
            client=_CLIENT[self.way],
            raw=(_MARKS if self.way is Way.NEWSLETTER else b"") + as_submitted(raw),
            sender=None,
            recipients=recipients,
            at=AT,
            assume_consent=True,
            any_sender=True,
        )
        return asyncio.run(explain(self.dry.tenant, self.dry.rules, question, self._lend))

    def _lend(self, domain: str) -> Signer:
        signer = copy(self.signer)
        signer.domain = domain
        self.keys[f"{signer.selector}._domainkey.{domain}"] = self.record
        return signer

    def opens(self, token: str) -> bool:
        """Whether a token from a link is one of this organisation."""
        try:
            opened = self.dry.tenant.tokens.open(token)
        except ValueError:
            return False
        return opened.organisation == self.dry.tenant.organisation.id

    @property
    def opt_out_base(self) -> str:
        organisation = self.dry.tenant.organisation
        return f"{organisation.opt_out_url.rstrip('/')}/{organisation.name}/"


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddress:
        return None


def _wrong(*texts: str) -> NoReturn:
    sys.exit("; ".join(texts))
