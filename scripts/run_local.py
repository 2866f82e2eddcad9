"""A gateway on this machine from config/gateway.yaml; what it needs below ./state is made on the first run.

For trying it out: provider passwords are placeholders, so mail waits in the queue until real ones are stored with
`briefgeheim keys provider NAME` and the providers' hosts are real.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from gateway.app.probe_gate import switch_probe_off
from gateway.cli import run
from gateway.config.credentials import Credentials, client_file, provider_file
from gateway.config.load import Loaded, load
from gateway.demo.certificate import write_certificate
from gateway.registry.places import places

CONFIG = Path("config/gateway.yaml")


def prepare(loaded: Loaded) -> None:
    """Certificate, keys, secrets and registries that are not there yet."""
    for listener in loaded.gateway.listen:
        if listener.certificate and listener.key and not listener.certificate.exists():
            listener.certificate.parent.mkdir(parents=True, exist_ok=True)
            write_certificate(listener.certificate, listener.key)
    with contextlib.redirect_stdout(io.StringIO()):  # it would list as missing what is made next
        command("keys", "init")
    store = Credentials.of(loaded.gateway)
    for organisation in loaded.organisations:
        for client in organisation.clients:
            if client.secret and not store.exists(client_file(organisation.name, client.secret)):
                command("keys", "client", client.name)
        for provider in organisation.providers:
            if provider.secret and not store.exists(provider_file(organisation.name, provider.secret)):
                sys.stdin = io.StringIO("placeholder\n")
                command("keys", "provider", provider.name, "--organisation", organisation.name)
        if not places(loaded.gateway.state, organisation.name).node.exists():
            command("registry", "init", "--organisation", organisation.name)
    switch_probe_off(loaded.gateway.state, "the names in the settings do not lead to this machine")


def command(*arguments: str) -> None:
    if code := run([*arguments, "--config", str(CONFIG)]):
        raise SystemExit(code)


if __name__ == "__main__":
    prepare(load(CONFIG))
    command("serve", *sys.argv[1:])
