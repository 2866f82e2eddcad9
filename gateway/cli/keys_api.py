"""`briefgeheim keys api` and `keys webhook`: what client systems prove themselves with, and what proves us to them.

what:       makes a token or a signing secret, prints it once
takes→gives: names → files in the credentials folder, the secret on standard output
knows not:  running processes
fails by:   exit 2 on settings, exit 1 when a name is unknown or a file is there already
standard:   DESIGN §4 Client secrets; Standard Webhooks 1.0
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, settings
from gateway.config.client_secret import new_secret
from gateway.config.credentials import Credentials, api_file, new_webhook_secret, webhook_file
from gateway.config.load import Loaded

Replace = Annotated[bool, typer.Option("--replace", help="Make a new one; the old one stops working.")]


def api(
    name: Annotated[str, typer.Argument(help="Name of the client.")],
    config: Config = DEFAULT_CONFIG,
    replace: Replace = False,
) -> None:
    """Make a client's token for the API, store only its digest, and print the token once."""
    loaded = settings(config)
    found = next((o for o in loaded.organisations if name in o.by_client), None)
    if found is None:
        known = sorted(c for o in loaded.organisations for c in o.by_client)
        _fail(f"no client {name!r}, expected one of: {', '.join(known)}")
    secret, stored = new_secret()
    _store(loaded, api_file(found.name, name), f"{stored}\n".encode(), replace)
    print(f"token  {name}.{secret}")
    print("This is shown once; the gateway keeps a digest only. Reload the gateway to use it.", file=sys.stderr)


def webhook(
    name: Annotated[str, typer.Argument(help="Name of the webhook.")],
    config: Config = DEFAULT_CONFIG,
    replace: Replace = False,
) -> None:
    """Make the secret that signs a webhook, store it, and print it once for its receiver."""
    loaded = settings(config)
    having = [(o, hook) for o in loaded.organisations for hook in o.webhooks if hook.name == name]
    if len(having) != 1:
        known = sorted(hook.name for o in loaded.organisations for hook in o.webhooks)
        _fail(f"webhook {name!r} found {len(having)} times, expected one of: {', '.join(known) or '(none)'}")
    content = new_webhook_secret()
    _store(loaded, webhook_file(having[0][0].name, having[0][1].secret), content, replace)
    print(f"secret  {content.decode().strip()}")


def _store(loaded: Loaded, name: str, content: bytes, replace: bool) -> None:
    store = Credentials.of(loaded.gateway)
    try:
        if replace:
            store.replace(name, content)
        elif not store.create(name, content):
            _fail(f"{store.folder / name} is there already; --replace makes a new one")
    except OSError as error:
        _fail(f"{store.folder / name}: cannot be made: {error.strerror}")


def _fail(text: str) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise typer.Exit(1)
