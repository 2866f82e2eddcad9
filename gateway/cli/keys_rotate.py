"""`briefgeheim keys rotate`, `apply`, `retire`: new keys for a gateway at work.

what:       adds a key to its file, has the running gateway take it, and sees what is stored brought under it
takes→gives: kind of key, organisation → lines on standard output
knows not:  how rows are lifted or keys wrapped
fails by:   exit 2 for settings and usage, 1 for what could not be done, each with one line on standard error
standard:   DESIGN §4 Pseudonyms, Tokens, Spool; docs/keys.md
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.app.rekeying import fingerprint
from gateway.app.running import at_work, reload
from gateway.audit.sqlite import AuditWriter
from gateway.cases.protocol import CasesUnavailable
from gateway.cases.sqlite import open_cases
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.config.keyring import Keyring, Kind
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.registry.backend import open_registry
from gateway.registry.protocol import RegistryUnavailable
from gateway.spool.disk import ShardTaken
from gateway.spool.outside import Outside
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.shards import present
from gateway.spool.sqlite import SQLiteSpool

_LOOK = 0.25
KindOfKey = Annotated[Kind, typer.Argument(help="Which keys.")]
OrganisationName = Annotated[str, typer.Option("--organisation", help="Whose; not for spool, which is everybody's.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for a running gateway to finish.")]


def rotate(
    kind: KindOfKey, organisation: OrganisationName = "", config: Config = DEFAULT_CONFIG, wait: Wait = 30.0
) -> None:
    """Add a new key and put it to use while mail flows. No key that is still needed goes away."""
    loaded = settings(config)
    ring = keyring(loaded, kind, organisation)
    try:
        number = ring.add()
    except (CredentialsError, OSError) as error:
        failed(f"no key was added: {error}")
    print(f"{ring.path}: {'layer' if kind is Kind.PSEUDONYM else 'key'} {number} added")
    print("Renew the escrow now (`briefgeheim keys escrow`): the old one lacks this key.")
    _apply(loaded, ring, wait)


def apply(
    kind: KindOfKey, organisation: OrganisationName = "", config: Config = DEFAULT_CONFIG, wait: Wait = 30.0
) -> None:
    """Put the newest key to use without adding one: after a rotation that was cut off or refused."""
    loaded = settings(config)
    _apply(loaded, keyring(loaded, kind, organisation), wait)


def retire(
    kind: KindOfKey,
    number: Annotated[int, typer.Argument(help="Id of the key.")],
    organisation: OrganisationName = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Take a spool or cases key out of its file, once nothing is wrapped by it any more."""
    loaded = settings(config)
    ring = keyring(loaded, kind, organisation)
    _take(loaded)  # so that nothing new is wrapped by an old key while it is counted
    left = _uses(loaded, ring).get(number, 0)
    if left:
        failed(f"{ring.path}: key {number} still wraps {left}; run `briefgeheim keys apply {kind}`")
    before = ring.path.read_bytes()
    try:
        ring.drop(number)
    except (CredentialsError, OSError) as error:
        failed(str(error))
    refused = [why for why in _reloads(loaded.gateway) if why]
    if refused:
        ring.store.replace(ring.name, before)
        failed(f"the gateway refused, so the key is back: {refused[0]}")
    print(f"{ring.path}: key {number} is gone. Backups made before need it: keep it in the escrow as long as those.")


def keyring(loaded: Loaded, kind: Kind, organisation: str) -> Keyring:
    """The key file that is meant, or exit 2."""
    names = [o.name for o in loaded.organisations]
    if kind is Kind.SPOOL:
        if organisation:
            wrong("--organisation: the spool's keys are the whole gateway's; leave it out")
    elif organisation not in names:
        wrong(f"--organisation: expected one of {', '.join(names)}")
    ring = Keyring(Credentials.of(loaded.gateway), kind, organisation)
    try:
        ring.ids()
    except CredentialsError as error:
        wrong(*error.errors)
    return ring


def _apply(loaded: Loaded, ring: Keyring, wait: float) -> None:
    """Have it taken, then bring what is stored under it: the gateway does where one runs, else this process."""
    runs = _take(loaded)
    try:
        if ring.kind is Kind.CASES:
            print(f"{_rewrap_cases(loaded, ring)} keys of open cases and breaches wrapped anew")
        elif not runs:
            _bring(loaded, ring)
        elif not _settled(loaded, ring, wait):
            print("The gateway goes on with it; `briefgeheim keys status` shows how far.")
            return
    except (RegistryUnavailable, SpoolUnavailable, CasesUnavailable, CredentialsError) as error:
        failed(f"the key is in use, but what is stored is not under it yet: {error}")
    print("Done: nothing is left under an older key." if ring.kind is not Kind.TOKEN else _links())


def _links() -> str:
    return "Done: new links are signed with it. The older keys stay: links in people's mailboxes need them."


def _take(loaded: Loaded) -> bool:
    """Reload whatever runs; True when the gateway does. Exit 1 when it refuses, or has not these keys afterwards."""
    gateway = loaded.gateway
    answers = list(_reloads(gateway))
    refused = [why for why in answers if why]
    if refused:
        failed(f"the key is in its file, but the gateway refused to reload: {refused[0]}\nmend that, then `keys apply`")
    found = at_work(gateway.state)
    if found is not None and found.keys != _keys_here(loaded):
        failed(
            "the key is in its file, but the gateway sees its keys as they were when it started (LoadCredential): "
            "restart it, the page first, then `keys apply`"
        )
    return found is not None


def _keys_here(loaded: Loaded) -> str:
    store = Credentials.of(loaded.gateway)
    people = {o.name: store.pseudonyms(o) for o in loaded.organisations}
    return fingerprint(people, {o.name: store.token_keys(o.name) for o in loaded.organisations}, store.spool_keys())


def _reloads(gateway: Gateway) -> Iterator[str]:
    """The page first: it must know a key before a link with it leaves. Gives "" or why not, of each that runs."""
    for folder in dict.fromkeys((gateway.web_folder, gateway.state)):
        try:
            answer = reload(folder)
        except (OSError, TimeoutError) as error:
            failed(f"the key is in its file; reload the gateway yourself (docs/keys.md): {error}")
        if answer is not None:
            yield answer


def _settled(loaded: Loaded, ring: Keyring, wait: float) -> bool:
    end = time.monotonic() + wait
    while not _all_under_newest(loaded, ring):
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK)
    return True


def _all_under_newest(loaded: Loaded, ring: Keyring) -> bool:
    if ring.kind is Kind.TOKEN:
        return True
    newest = max(ring.ids())
    if ring.kind is Kind.PSEUDONYM:
        layer, waiting = registry_layers(loaded, ring.organisation)
        return layer == newest and not waiting
    return not any(count for number, count in _uses(loaded, ring).items() if number < newest)


def registry_layers(loaded: Loaded, organisation: str) -> tuple[int, int]:
    """The layer of new rows, and how many rows are of an older one. Raises `RegistryUnavailable`."""
    owner = _owner(loaded, organisation)
    registry = open_registry(owner, loaded.gateway, Credentials.of(loaded.gateway).pseudonyms(owner))
    try:
        status = asyncio.run(registry.status())
    finally:
        registry.close()
    return int(status["layer"]), int(status["waiting"])


def _uses(loaded: Loaded, ring: Keyring) -> dict[int, int]:
    """How much each key wraps."""
    if ring.kind is Kind.SPOOL:
        return dict(Outside(loaded.gateway.state / "spool").key_uses())
    if ring.kind is Kind.CASES:
        _rewrap_cases(loaded, ring)  # any process may: after it, all are under the newest
        return {}
    return {}


def _bring(loaded: Loaded, ring: Keyring) -> None:
    if ring.kind is Kind.PSEUDONYM:
        owner = _owner(loaded, ring.organisation)
        registry = open_registry(owner, loaded.gateway, ring.store.pseudonyms(owner))
        try:
            asyncio.run(registry.lift())
        finally:
            registry.close()
    elif ring.kind is Kind.SPOOL:
        asyncio.run(_rewrap_spool(loaded.gateway.state / "spool", ring))


async def _rewrap_spool(folder: Path, ring: Keyring) -> None:
    for shard in present(folder):
        try:
            spool = SQLiteSpool(folder, shard.number, ring.store.spool_keys(), AuditWriter())
        except ShardTaken as error:
            raise SpoolUnavailable(f"{error}; its owner was not there a moment ago, so try again") from error
        try:
            await spool.rewrap()
        finally:
            await spool.close()


def _rewrap_cases(loaded: Loaded, ring: Keyring) -> int:
    owner = _owner(loaded, ring.organisation)
    if not (loaded.gateway.state / "cases" / f"{owner.name}.sqlite").exists():
        return 0

    async def work() -> int:
        cases = open_cases(
            loaded.gateway.state, owner.name, ring.store.case_keys(owner.name), ring.store.pseudonyms(owner)
        )
        try:
            return await cases.rewrap()
        finally:
            await cases.close()

    return asyncio.run(work())


def _owner(loaded: Loaded, name: str) -> Organisation:
    return loaded.organisation(name)


def failed(line: str) -> NoReturn:
    """Say what could not be done and exit 1."""
    sys.stderr.write(line + "\n")
    raise typer.Exit(1)
