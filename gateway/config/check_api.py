"""Checks of webhooks.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  connections, credentials' content
standard:   DESIGN §4 People; I-7 (lines about people never travel in clear)
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.config.check_listeners import is_loopback
from gateway.config.organisation import Organisation
from gateway.config.source import Loc

Finding = tuple[Loc, str]


def check_webhooks(settings: Organisation) -> Iterator[Finding]:
    """One name each, a client that exists, and no clear text to another machine."""
    seen: set[str] = set()
    for index, hook in enumerate(settings.webhooks):
        if hook.name in seen:
            yield ("webhooks", index, "name"), f"is {hook.name} again, expected each name once"
        seen.add(hook.name)
        if hook.client not in settings.by_client:
            known = ", ".join(sorted(settings.by_client))
            yield ("webhooks", index, "client"), f"no client {hook.client}, expected one of {known}"
        if wrong := _url(hook.url):
            yield ("webhooks", index, "url"), wrong


def _url(text: str) -> str:
    try:
        url = urlsplit(text)
        host, secret = url.hostname or "", url.username or url.password
    except ValueError:
        return "not a URL, expected https://host/path"
    if secret or url.fragment or not host:
        return "expected https://host/path without user name or fragment"
    if url.scheme == "https" or (url.scheme == "http" and is_loopback(host)):
        return ""
    return "expected https (http: this machine only)"
