"""Copies of campaigns as mailing systems make them: what is the same for all, what differs per person.

what:       `Letter`: blocks of HTML with `{name}` and `{TOKEN:n}` in them → one copy per person
takes→gives: name of a person → subject and HTML; the same name gives the same copy
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from gateway.message.parse import Message, parse

_TOKEN = re.compile(r"\{(TOKEN|NUMBER):(\w+)\}")
TEXT = "".join(
    f"<p>Alinea {word} over de lessen van deze maand.</p>\n" for word in ("een", "twee", "drie", "vier", "vijf", "zes")
)
LOGO = '<img src="https://cdn.shop.example/logo.png" width="120" height="40" alt="Shop">\n'
PIXEL = '<img src="https://t.esp.example/o/{TOKEN:open}.gif" width="1" height="1" alt="">\n'
SPACER = '<img src="https://cdn.esp.example/transparent.gif" width="1" height="1" alt="">\n'
PICTURES = "".join(
    f'<img src="https://cdn.shop.example/zomer/{name}.jpg" width="300" alt="{name}">\n'
    for name in ("strand", "bos", "berg")
)
REDIRECTS = "".join(
    f'<a href="https://klik.esp.example/c/{{TOKEN:c{n}}}/{n}">Meer over les {n}</a>\n' for n in range(6)
)
CARRIED = "".join(
    f'<a href="https://shop.example/{page}?les={n}&amp;mc_eid={{TOKEN:person}}">Les {n}</a>\n'
    for n, page in enumerate(("proefles", "cursus", "boeken", "agenda"))
)


def text(topic: str) -> str:
    """Paragraphs that nothing about another topic is like."""
    return "".join(f"<p>{topic}{word} over {topic}zaken en {word}{topic}.</p>\n" for word in ("een", "twee", "drie"))


@dataclass(frozen=True)
class Letter:
    """`blocks` go to everybody, in this order; `{name}` and tokens in them are each person's own."""

    blocks: tuple[str, ...]
    subject: str = "{name}, de lessen van deze maand"
    salt: str = "letter"
    marks: dict[str, str] = field(default_factory=dict)

    def subject_for(self, name: str) -> str:
        return self._filled(self.subject, name)

    def html(self, name: str, *extra: str) -> str:
        """`extra` blocks stand in front, as those for a group of people do."""
        body = "".join((f"<p>Beste {name},</p>\n", *extra, *self.blocks))
        return f"<html><body>\n{self._filled(body, name)}</body></html>\n"

    def message(self, name: str, *extra: str) -> Message:
        head = f"From: info@shop.example\r\nTo: {name}@people.example\r\nSubject: {self.subject_for(name)}\r\n"
        head += "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        return parse((head + self.html(name, *extra).replace("\n", "\r\n")).encode())

    def address(self, template: str, name: str) -> str:
        """An address as it stands in this person's copy."""
        return self._filled(template, name)

    def _filled(self, text: str, name: str) -> str:
        def value(found: re.Match[str]) -> str:
            digest = hashlib.sha256(f"{self.salt} {name} {found[2]}".encode()).hexdigest()
            return digest[:20] if found[1] == "TOKEN" else str(int(digest[:8], 16) % 9000 + 1000)

        return _TOKEN.sub(value, text).replace("{name}", name)
