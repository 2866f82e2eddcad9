"""`briefgeheim keys status`: every key file, what it holds, what still needs which key, and what is missing.

what:       ids or layers, when the file was last changed, counts of what is stored under each key
takes→gives: the settings → lines or JSON
knows not:  keys themselves: they are never shown
fails by:   exit 2 for settings; 1 when a key is missing or what is stored cannot be looked at
standard:   DESIGN §4 Pseudonyms; docs/keys.md
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gateway.cli.keys_rotate import registry_layers
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.keyring import Keyring, Kind
from gateway.config.load import Loaded
from gateway.registry.protocol import RegistryUnavailable
from gateway.spool.outside import Outside
from gateway.spool.protocol import SpoolUnavailable


def status(
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per key file.")] = False,
) -> None:
    """Show per key file: ids or layers, what still uses each, when it was changed, what is missing."""
    loaded = settings(config)
    store = Credentials.of(loaded.gateway)
    found = [_look(loaded, ring) for ring in _rings(loaded, store)]
    for entry in found:
        print(json.dumps(entry) if as_json else _as_text(entry))
    missing = store.check(loaded.organisations)
    for line in missing:
        print(json.dumps({"missing": line}) if as_json else f"missing: {line}")
    if missing or any(entry["trouble"] for entry in found):
        raise typer.Exit(1)


def _rings(loaded: Loaded, store: Credentials) -> Iterator[Keyring]:
    yield Keyring(store, Kind.SPOOL)
    for owner in loaded.organisations:
        for kind in (Kind.PSEUDONYM, Kind.TOKEN, Kind.CASES):
            yield Keyring(store, kind, owner.name)


def _look(loaded: Loaded, ring: Keyring) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": ring.name, "keys": [], "changed": "", "uses": "", "trouble": ""}
    try:
        entry["keys"] = ring.ids()
        entry["changed"] = time.strftime("%Y-%m-%d", time.gmtime(ring.path.stat().st_mtime))
        entry["uses"] = _uses(loaded, ring)
    except (CredentialsError, RegistryUnavailable, SpoolUnavailable, OSError) as error:
        entry["trouble"] = str(error)
    return entry


def _uses(loaded: Loaded, ring: Keyring) -> str:
    if ring.kind is Kind.SPOOL:
        uses = Outside(loaded.gateway.state / "spool").key_uses()
        counts = ", ".join(f"{count} by key {number}" for number, count in sorted(uses.items()))
        return f"messages under way: {counts or 'none'}"
    if ring.kind is Kind.PSEUDONYM:
        layer, waiting = registry_layers(loaded, ring.organisation)
        rest = f", {waiting} rows wait to be lifted" if waiting else ", all rows"
        return f"registry in layer {layer}{rest}; journals, links and audit keep the layer they were written in"
    if ring.kind is Kind.TOKEN:
        return f"key {max(ring.ids())} signs; links in mailboxes need all of them"
    return f"key {max(ring.ids())} wraps"


def _as_text(entry: dict[str, Any]) -> str:
    numbers = ", ".join(map(str, entry["keys"])) or "none"
    return f"{entry['file']}: keys {numbers}; changed {entry['changed'] or '-'}; {entry['trouble'] or entry['uses']}"
