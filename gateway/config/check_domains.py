"""Checks of domains, addresses and URLs of an organisation.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  DNS, files
standard:   S-02, S-16, S-45; RFC 2919 2; RFC 8058 3.1; R-085, R-090
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from publicsuffixlist import PSLFILE, PublicSuffixList

from gateway.address import Address, InvalidAddress
from gateway.config.check_listeners import is_loopback
from gateway.config.organisation import Domain, Organisation
from gateway.config.source import Loc

Finding = tuple[Loc, str]


def check_domains(settings: Organisation) -> Iterator[Finding]:
    """DKIM only where the organisation can publish keys (S-02), List-Id only under its own domains."""
    for index, domain in enumerate(settings.domains):
        yield from _dkim(domain, ("domains", index))
        yield from _parent(domain, ("domains", index))
    if not settings.domains:
        yield ("domains",), "empty, expected the domains that may stand in From (S-02)"
    own = list(settings.by_domain)
    for index, item in enumerate(settings.lists):
        if item.list_id and not any(item.list_id.endswith("." + domain) for domain in own):
            yield (
                ("lists", index, "list_id"),
                f"is {item.list_id!r}, expected a name under a domain of the organisation (RFC 2919): {', '.join(own)}",
            )


def _dkim(domain: Domain, loc: Loc) -> Iterator[Finding]:
    if domain.dkim and domain.selector is None:
        yield (*loc, "selector"), f"missing, expected a selector, because dkim is yes for {domain.domain}"
    if domain.selector is not None and not domain.dkim:
        yield (*loc, "selector"), "stands without dkim, expected `dkim: yes` or no selector"
    if not domain.dkim:
        return
    if domain.shared_parent is not None:
        yield (
            (*loc, "dkim"),
            f"is yes, but {domain.domain} is under {domain.shared_parent}, which other customers share; "
            f"expected no: nobody but that provider can publish keys there (S-02)",
        )
    elif is_public_suffix(domain.domain):
        yield (
            (*loc, "dkim"),
            f"is yes, but {domain.domain} itself is a public suffix, under which many customers have names; "
            f"expected no with `shared_parent: {domain.domain}` (S-02)",
        )
    elif not domain.own_dns and (shared := private_suffix(domain.domain)) is not None:
        yield (
            (*loc, "dkim"),
            f"is yes, but {shared} is a public suffix that gives names to many customers; expected no with "
            f"`shared_parent: {shared}`, or `own_dns: yes` when you control the DNS of {domain.domain} (S-02)",
        )


def _parent(domain: Domain, loc: Loc) -> Iterator[Finding]:
    parent = domain.shared_parent
    if parent is not None and domain.domain != parent and not domain.domain.endswith("." + parent):
        yield (*loc, "shared_parent"), f"is {parent!r}, expected a parent of {domain.domain} or that name itself"
    if parent is not None and domain.own_dns:
        yield (*loc, "own_dns"), "is yes beside shared_parent, expected one of the two"


def is_public_suffix(domain: str) -> bool:
    """Whether the name belongs to everybody below it, and so never to one organisation."""
    return bool(_lists(_top(domain))[0].is_public(domain))


def private_suffix(domain: str) -> str | None:
    """The suffix of the private part of the list (site builders, shops) that `domain` is under, or None."""
    everything, icann = _lists(_top(domain))
    suffix = str(everything.publicsuffix(domain))
    return suffix if suffix != str(icann.publicsuffix(domain)) else None


@lru_cache(maxsize=64)
def _lists(top: str) -> tuple[PublicSuffixList, PublicSuffixList]:
    """What the list says below one top-level domain: to take in all of it costs every start a tenth of a second."""
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        rules = [line for line in lines if line.startswith("// ===") or _top(line.split(" ")[0].rstrip()) == top]
    return PublicSuffixList(rules), PublicSuffixList(rules, only_icann=True)


def _top(domain: str) -> str:
    """The last label, as an A-label."""
    label = domain.rpartition(".")[2].lower()
    return label if label.isascii() else label.encode("idna").decode("ascii")


def check_identity(settings: Organisation) -> Iterator[Finding]:
    """Addresses that are addresses, and pages that are https (S-16, RFC 8058 3.1)."""
    controller = settings.controller
    for key in ("name", "postal_address"):
        value = getattr(controller, key)
        if not value.strip() or not value.isprintable():
            yield ("controller", key), "is empty or more than one line, expected one line of text (S-54)"
    yield from _address(controller.contact, ("controller", "contact"))
    yield from _address(settings.postmaster, ("postmaster",))
    yield from _address(settings.hold_owner, ("hold_owner",))
    for index, contact in enumerate(settings.contacts):
        yield from _address(contact, ("contacts", index))
    yield from _https(settings.opt_out_url, ("opt_out_url",))
    yield from _https(controller.policy_url, ("controller", "policy_url"))


def _address(text: str | None, loc: Loc) -> Iterator[Finding]:
    if text is None:
        return
    try:
        bare = not Address.parse(text).domain
    except InvalidAddress:
        bare = True
    if bare:
        yield loc, f"is {text!r}, expected a mail address such as info@example.org"


def _https(text: str, loc: Loc) -> Iterator[Finding]:
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        host, url = None, urlsplit("")
    plain = url.scheme == "http" and host is not None and is_loopback(host)
    if not host or not (url.scheme == "https" or plain) or not text.isascii() or " " in text:
        yield loc, f"is {text!r}, expected an https address (http only for this machine itself)"
    elif url.query or url.fragment or "@" in url.netloc or "?" in text or "#" in text:
        yield loc, f"is {text!r}, expected an address without user, query and fragment"
