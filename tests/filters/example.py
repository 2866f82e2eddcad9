"""One organisation, the shipped tracker facts, and messages that filters meet, for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gateway.config.organisation import Organisation, StreamRule
from gateway.config.trackers import Trackers
from gateway.decision import Classification, Stream, Variant
from gateway.filters.context import Context
from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse
from gateway.message.template import compile

REPOSITORY = Path(__file__).parents[2]
FACTS = Trackers.model_validate(YAML(typ="safe").load(REPOSITORY / "config" / "trackers.yaml"))
URL = b"https://afmelden.voorbeeld.example/voorbeeld/" + b"T" * 120

SETTINGS: dict[str, Any] = {
    "id": 7,
    "name": "voorbeeld",
    "controller": {
        "name": "Coöperatie Voorbeeld & Zonen",
        "postal_address": "Straat 1, 1000 AA Plaats, Nederland",
        "contact": "info@voorbeeld.example",
        "policy_url": "https://voorbeeld.example/privacy",
        "policy_date": "2024-01-01",
    },
    "opt_out_url": "https://afmelden.voorbeeld.example/voorbeeld",
    "postmaster": "beheer@voorbeeld.example",
    "domains": [{"domain": "voorbeeld.example"}],
    "sources": [{"id": 5, "name": "database"}],
    "lists": [
        {"id": 11, "name": "nieuws", "title": "Nieuws", "list_id": "nieuws.voorbeeld.example"},
        {"id": 12, "name": "los", "title": "Los"},
    ],
    "clients": [{"name": "crm", "source": "database", "secret": "crm"}],
    "providers": [{"name": "sink", "host": "sink.example", "contract": "2024-01-01", "rights_clause": True}],
    "routes": [{"provider": "sink"}],
    "streams": {"newsletter": {"basis": ["consent"]}},
    "classify": [{"name": "news", "when": {"client": "crm"}, "stream": "newsletter"}],
}
ORGANISATION = Organisation.model_validate(SETTINGS)


def organisation(**changes: Any) -> Organisation:
    return Organisation.model_validate({**SETTINGS, **changes})


def context(
    *,
    opt_out: Mapping[str, Any] | None = None,
    rule: Mapping[str, Any] | None = None,
    language: str = "nl",
    tracking: bool = False,
    mailing_list: int = 11,
    **changes: Any,
) -> Context:
    """A newsletter's context; `opt_out` and `rule` change the stream's rule, `changes` fields of the context."""
    settings = {"basis": ["consent"], "tracking": "consent", **(rule or {})}
    settings["opt_out"] = opt_out if opt_out is not None else {"scope": "list", "header": "one-click", "text": "link"}
    made = Context(
        organisation=ORGANISATION,
        client=ORGANISATION.clients[0],
        rule=StreamRule.model_validate(settings),
        classification=Classification(Stream.NEWSLETTER, list=mailing_list),
        variant=Variant(language, tracking=tracking),
        trackers=FACTS,
        authserv_id="gateway.example",
        private=True,
        one_click=True,
    )
    return replace(made, **changes)


def draft(
    body: bytes | str, content_type: str = "text/html; charset=utf-8", encoding: str = "8bit", head: str = ""
) -> Draft:
    """A message with one part; `head` is further header lines, each with its CRLF."""
    body = body.encode() if isinstance(body, str) else body
    first = f"From: a@voorbeeld.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n{head}Content-Type: {content_type}\r\n"
    return Draft(parse(f"{first}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body))


def render(made: Draft, *, seven_bit: bool = False) -> bytes:
    """The message as it would leave, with the opt-out address in its slot."""
    return compile(made, seven_bit=seven_bit).render({Slot.OPT_OUT: URL, Slot.RECIPIENT: b"jan@example.org"})


def only_content(made: Draft) -> bytes:
    """The edited content of a message of one part."""
    return made.edited_content(made.message.root)
