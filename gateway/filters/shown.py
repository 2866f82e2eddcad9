"""Addresses that a mail may show to anyone: who sends it, and the organisation's own contacts.

what:       canonical forms that are no leak wherever they stand (I-1)
takes→gives: `Message` + `Context` → set of exact canonical forms
knows not:  other recipients
fails by:   nothing; a contact that is no address is left out
standard:   DESIGN I-1
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation
from gateway.filters.context import Context
from gateway.message.addresses import addresses
from gateway.message.parse import Message

SENDERS = ("from", "sender", "reply-to")


def seen_anyway(message: Message, context: Context) -> frozenset[bytes]:
    """From, Sender and Reply-To, contacts, and the only recipient where there is just one."""
    own = {context.recipient} if context.recipient else set[bytes]()
    return senders(message) | contacts(context.organisation) | own


def senders(message: Message) -> frozenset[bytes]:
    """Who the mail says it is from."""
    return named(message, SENDERS)


def named(message: Message, names: Iterable[str]) -> frozenset[bytes]:
    """Exact addresses of everybody in these fields."""
    values = [message.raw_value(field) for name in names for field in message.fields(name)]
    return frozenset(box.address.exact() for value in values for box in addresses(value) if box.address)


def contacts(organisation: Organisation) -> frozenset[bytes]:
    """Exact addresses of the organisation itself."""
    return _exact((*organisation.contacts, organisation.controller.contact, organisation.postmaster))


@lru_cache(maxsize=64)
def _exact(texts: tuple[str, ...]) -> frozenset[bytes]:
    found: set[bytes] = set()
    for text in texts:
        try:
            found.add(Address.parse(text).exact())
        except InvalidAddress:
            continue
    return frozenset(found)
