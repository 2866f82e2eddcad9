"""`briefgeheim keys escrow` and `recover`: all keys in one sealed file, whether it still fits, and back from it.

what:       sealing to a new file, comparing with the keys in use, putting back what is missing
takes→gives: credentials and a passphrase → a file and back
knows not:  cryptography, who keeps the file and who the passphrase
fails by:   exit 2 for settings and usage, 1 when it does not open or does not fit
standard:   DESIGN §4 Pseudonyms; docs/keys.md
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.backup import escrow as sealing
from gateway.backup.escrow import EscrowBroken
from gateway.cli.keys_rotate import failed
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings
from gateway.cli.passphrase import PassphraseFile, passphrase
from gateway.config.credentials import Credentials, CredentialsError

File = Annotated[Path, typer.Argument(help="The escrow file.")]


def escrow(
    file: File,
    config: Config = DEFAULT_CONFIG,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the keys in use; asks for no passphrase.")
    ] = False,
    opening: Annotated[bool, typer.Option("--open", help="With --check: also open it with the passphrase.")] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Seal every key and secret into one new file; or --check that such a file still holds the keys in use."""
    store = Credentials.of(settings(config).gateway)
    if check:
        _check(store, file, passphrase(passphrase_file, new=False) if opening else None)
        return
    write_escrow(store, file, passphrase(passphrase_file, new=True))


def recover(file: File, config: Config = DEFAULT_CONFIG, passphrase_file: PassphraseFile = None) -> None:
    """Put keys and secrets that are missing here back from an escrow file. Replaces nothing."""
    store = Credentials.of(settings(config).gateway)
    files = _open(file, passphrase(passphrase_file, new=False))
    made: list[str] = []
    there: list[str] = []
    for name, content in sorted(files.items()):
        if "/" in name or name.startswith("."):
            failed(f"{file}: holds a file named {name!r}")
        (made if not store.exists(name) and store.create(name, content) else there).append(name)
    for name in made:
        print(f"made  {store.folder / name}")
    for name in (n for n in there if _content(store, n) != files[n]):
        print(f"other {store.folder / name}: is not as in the escrow, and was left as it is")
    print(f"{len(made)} put back, {len(there)} were there.")


def write_escrow(store: Credentials, file: Path, secret: str) -> None:
    """A new file, whole or not at all, for its owner alone. Exit 1 where it is there already."""
    files = {name: _content(store, name) for name in store.names()}
    if not files:
        failed(f"no keys in {store.folder}")
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if file.exists():
            raise FileExistsError(17, "is there already; take another name", str(file))
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(sealing.seal(files, secret))
            stream.flush()
            os.fsync(stream.fileno())
        os.link(fresh, file)
    except OSError as error:
        failed(f"{file}: {error.strerror}")
    finally:
        fresh.unlink(missing_ok=True)
    print(f"{file}: {len(files)} keys and secrets. Keep it and its passphrase apart, both away from this machine.")


def _check(store: Credentials, file: Path, secret: str | None) -> None:
    here = {name: _content(store, name) for name in store.names()}
    try:
        found = [f"{d.name}: {d.what}" for d in sealing.differences(_octets(file), here)]
    except EscrowBroken as error:
        failed(f"{file}: {error}")
    if secret is not None:
        kept = _open(file, secret)
        found += [f"{n}: is not as in the escrow" for n, c in here.items() if n in kept and kept[n] != c]
    if found:
        failed("\n".join(dict.fromkeys(found)))
    print(f"{file}: holds every key in use" + ("; it opens" if secret is not None else ""))


def _open(file: Path, secret: str) -> dict[str, bytes]:
    try:
        return sealing.unseal(_octets(file), secret)
    except EscrowBroken as error:
        failed(f"{file}: {error}")


def _octets(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        failed(f"{file}: {error.strerror}")


def _content(store: Credentials, name: str) -> bytes:
    try:
        return store.content(name)
    except CredentialsError as error:
        failed(str(error))
