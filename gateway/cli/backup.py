"""`briefgeheim backup` and `restore`: what an organisation needs, in a folder or one file, and back.

what:       a backup while the gateway works, its check, and a restore while it does not
takes→gives: settings and a place → a backup; a backup → a report
knows not:  SQL, journals, what is sealed how
fails by:   exit 2 for settings and usage, 1 for what could not be done, with one line for each reason
standard:   L-06; docs/backup.md
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.app.running import Running, Taken, at_work
from gateway.audit.protocol import AuditUnavailable
from gateway.backup import bundle, checking, making, manifest, restoring
from gateway.backup.checking import RestoreRefused
from gateway.backup.making import BackupRefused, Source
from gateway.backup.manifest import BackupDamaged, Manifest
from gateway.backup.restoring import Report, Restorer
from gateway.cases.protocol import CasesUnavailable
from gateway.cli.keys_escrow import write_escrow
from gateway.cli.keys_rotate import failed
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.cli.passphrase import PassphraseFile, passphrase
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.config.load import Loaded
from gateway.registry.protocol import Act, RegistryUnavailable

Place = Annotated[Path, typer.Argument(help="A folder, or a file that ends in .tar or .tar.gz.")]
Dated = Annotated[bool, typer.Option("--dated", help="Make it inside that folder, named by the time.")]
Keep = Annotated[
    int | None,
    typer.Option("--keep", min=1, help="With --dated: afterwards keep so many of them, and delete the oldest."),
]


def backup(
    place: Place,
    config: Config = DEFAULT_CONFIG,
    verify: Annotated[bool, typer.Option("--verify", help="Check the backup that is there; make none.")] = False,
    dated: Dated = False,
    keep: Keep = None,
    with_keys: Annotated[
        Path | None, typer.Option("--with-keys", help="Also put the keys in escrow, in this other file.")
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Back up registries, journals, cases, audit and settings while the gateway works. Never keys, never mail."""
    if keep is not None and not dated:
        wrong("--keep: only with --dated, where the names tell which is the oldest")
    if verify:
        with _errors(), _unpacked(place) as folder:
            _show(place, manifest.verify(folder))
        return
    loaded = settings(config)
    secret = passphrase(passphrase_file, new=True) if with_keys is not None else ""
    target = place / time.strftime(making.DATED, time.gmtime()) if dated else place
    with _errors():
        made = _make(target, Source(loaded, Credentials.of(loaded.gateway), time.time(), __version__))
    _show(target, made)
    if keep is not None:
        for old in making.oldest(place, keep):
            shutil.rmtree(old)
            print(f"{old}: deleted, {keep} newer ones are there")
    if with_keys is not None:
        write_escrow(Credentials.of(loaded.gateway), with_keys, secret)


def restore(
    place: Place,
    operator: Annotated[str, typer.Option("--operator", help="Who does this; recorded.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; recorded.")],
    config: Config = DEFAULT_CONFIG,
    organisation: Annotated[str, typer.Option("--organisation", help="Only this one of the backup.")] = "",
) -> None:
    """Put a backup back. Opt-outs, objections and erasures made after it stay. The gateway must not be running."""
    loaded = settings(config)
    if not operator.strip() or not reason.strip() or "@" in operator + reason:
        wrong("--operator, --reason: expected a name and a reason without mail addresses; they are recorded")
    act = Act(int(time.time()), operator, reason, "restore")
    report = Report()
    with _errors(), _alone(loaded.gateway), _unpacked(place) as folder:
        _restore(folder, loaded, act, organisation, report)
    for line in report.done:
        print(line)
    print("\nTo be looked at:")
    for line in report.look:
        print(f"- {line}")


def _restore(folder: Path, loaded: Loaded, act: Act, organisation: str, report: Report) -> None:
    credentials = Credentials.of(loaded.gateway)
    staging = restoring.staging(loaded.gateway.state)
    try:
        ready = checking.ready(folder, staging, loaded, credentials, organisation)
        Restorer(ready, loaded, credentials, act, report).run()
    finally:
        checking.clear(staging)


def _make(target: Path, source: Source) -> Manifest:
    if not bundle.is_bundle(target):
        return making.make(target, source)
    if os.path.lexists(target):
        raise BackupRefused(f"{target} is there already; a backup is never written over")
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        made = making.make(folder / "backup", source)
        bundle.pack(folder / "backup", target)
    finally:
        shutil.rmtree(folder)
    return made


@contextmanager
def _unpacked(place: Path) -> Iterator[Path]:
    """The backup as a folder; a file is unpacked beside itself, readable by nobody else, and taken away again."""
    if not place.is_file():
        yield place
        return
    folder = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        bundle.unpack(place, folder / "backup")
        yield folder / "backup"
    finally:
        shutil.rmtree(folder)


@contextmanager
def _alone(gateway: Gateway) -> Iterator[None]:
    """Nobody else works in the state folder, nor the page in its own; and none begins."""
    if gateway.state.exists() and gateway.state.stat().st_uid != os.geteuid():
        raise RestoreRefused(f"{gateway.state} belongs to another user: run this as that user")
    other = at_work(gateway.web_folder)
    if other is not None:
        raise RestoreRefused(f"process {other.pid} ({other.what}) is at work in {gateway.web_folder}; stop it first")
    try:
        running = Running(gateway.state, "restore")
    except Taken as error:
        raise RestoreRefused(f"{error}; stop it first") from None
    try:
        yield
    finally:
        running.free()


def _show(place: Path, found: Manifest) -> None:
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.at))
    print(f"{place}: backup of {when}, {len(found.files)} files, {sum(f.size for f in found.files)} octets")
    for owner in found.organisations:
        print(
            f"{owner.name}: {owner.people} people, {owner.events} events, journal at {owner.journal}, "
            f"opt-outs of the page at {owner.web}, {owner.cases} open cases, pseudonym layer {owner.layer}"
        )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (BackupDamaged, RestoreRefused, BackupRefused, CredentialsError) as error:
        failed(str(error))
    except (RegistryUnavailable, CasesUnavailable, AuditUnavailable) as error:
        failed(str(error))
    except OSError as error:
        failed(f"{error.filename or 'a file'}: {error.strerror or error}")
