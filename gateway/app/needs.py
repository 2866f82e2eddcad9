"""What must be there before anything is started; `serve` makes none of it (I-13).

what:       missing or damaged keys, registries that were never made here
takes→gives: settings, parts to run → one line per thing that is missing, with the command that makes it
knows not:  processes, sockets
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gateway.backup.files import UNDER_WAY
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.registry.places import places


def missing(loaded: Loaded, parts: Collection[str]) -> list[str]:
    """Empty when these parts ("mail", "web") have all they need."""
    credentials = Credentials.of(loaded.gateway)
    if "mail" in parts and (loaded.gateway.state / UNDER_WAY).exists():
        return ["a restore was cut off: run the same `briefgeheim restore` again, it starts anew"]
    if "mail" in parts:
        return [*credentials.check(loaded.organisations), *_passwords(loaded, credentials), *_registries(loaded)]
    found: list[str] = []
    for organisation in loaded.organisations:
        try:
            credentials.token_keys(organisation.name)
        except CredentialsError as error:
            found.extend(error.errors)
    return found


def _passwords(loaded: Loaded, credentials: Credentials) -> Iterator[str]:
    for organisation in loaded.organisations if loaded.gateway.registry.password else ():
        try:
            credentials.redis_password(organisation.name)
        except CredentialsError as error:
            yield from error.errors


def _registries(loaded: Loaded) -> list[str]:
    return [
        f"registry of {o.name}: never made here, run `briefgeheim registry init --organisation {o.name}`"
        for o in loaded.organisations
        if not places(loaded.gateway.state, o.name).node.exists()
    ]
