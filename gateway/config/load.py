"""Settings files → one frozen value, or every error at once.

what:       `load` reads the files, `load_texts` does the rest without touching a disk, so that a parent reads once
            and all workers take the same settings
takes→gives: path of gateway.yaml → `Loaded`
knows not:  what the settings are for
fails by:   `SettingsError` with all errors as `file:line: dotted.key: what is wrong, what is expected`
standard:   DESIGN §4 YAML; exit code 2
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from gateway.config import checks, ids
from gateway.config.base import Settings
from gateway.config.complaint import complaint
from gateway.config.gateway import Gateway
from gateway.config.ids import KnownId
from gateway.config.organisation import Organisation
from gateway.config.source import Loc, Source, read
from gateway.config.trackers import Trackers

Texts = Mapping[Path, bytes]
_Model = TypeVar("_Model", bound=Settings)
_SUFFIXES = (".yaml", ".yml")
_PLACES = ("state", "organisations", "trackers")


class SettingsError(Exception):
    """`errors`: one line each, in the order of the files."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(self.errors))


@dataclass(frozen=True, slots=True)
class Loaded:
    """All settings of one version. `version` is a digest of the texts; `texts` go to workers as they are."""

    gateway: Gateway
    organisations: tuple[Organisation, ...]
    trackers: Trackers
    version: str
    texts: Texts

    def organisation(self, name: str) -> Organisation:
        """By name. Raises `KeyError`."""
        return {o.name: o for o in self.organisations}[name]


def load(path: Path, remembered: Iterable[KnownId] | None = None) -> Loaded:
    """Read and check everything that `path` (gateway.yaml) names. `remembered` None: what STATE/ids.json knows."""
    return load_texts(read_texts(path), remembered)


def read_texts(path: Path) -> dict[Path, bytes]:
    """The octets of gateway.yaml (first), the files about trackers and each organisation's file."""
    texts = {path: _octets(path, str(path))}
    gateway = _gateway_or_defaults(path, texts[path])
    texts[gateway.trackers] = _octets(gateway.trackers, f"{path}: trackers")
    for file in gateway.own_trackers:
        texts[file] = _octets(file, f"{path}: own_trackers")
    for file in _organisation_files(gateway.organisations, path):
        texts[file] = _octets(file, str(file))
    return texts


def load_texts(texts: Texts, remembered: Iterable[KnownId] | None = None) -> Loaded:
    """The same from octets already read; the first entry is gateway.yaml. `remembered` None reads STATE/ids.json."""
    main, *others = texts
    reading = _Reading()
    gateway = reading.model(main, texts[main], Gateway)
    anchored = _anchored(gateway, main.parent) if gateway else _gateway_or_defaults(main, texts[main])
    about_trackers = dict.fromkeys((anchored.trackers, *anchored.own_trackers))
    trackers = [reading.model(path, texts[path], Trackers) for path in about_trackers]
    organisations = {
        path: organisation
        for path in others
        if path not in about_trackers and (organisation := reading.model(path, texts[path], Organisation)) is not None
    }
    reading.cross(main, anchored if gateway else None, organisations, _remembered(anchored, remembered, reading))
    known = [facts for facts in trackers if facts is not None]
    if reading.errors or gateway is None or not known:
        raise SettingsError(reading.errors)
    placed = tuple(_placed(o, path.parent.absolute()) for path, o in organisations.items())
    absolute = _anchored(gateway, main.parent.absolute())
    return Loaded(absolute, placed, known[0].with_own(known[1:]), _version(texts, main.parent), dict(texts))


@dataclass(slots=True)
class _Reading:
    """Collects the errors of all files, so that one run shows them all."""

    errors: list[str] = field(default_factory=list)
    sources: dict[Path, Source] = field(default_factory=dict)

    def model(self, path: Path, octets: bytes, model: type[_Model]) -> _Model | None:
        source, settings, errors = _read(str(path), octets, model)
        self.sources[path] = source
        self.errors.extend(errors)
        return settings

    def cross(
        self,
        main: Path,
        gateway: Gateway | None,
        organisations: Mapping[Path, Organisation],
        remembered: frozenset[KnownId],
    ) -> None:
        """Checks over several keys and several files, on all files that could be read."""
        if gateway is not None:
            self._report(self.sources[main], checks.gateway(gateway, tuple(organisations.values())))
        for path, organisation in organisations.items():
            self._report(self.sources[path], checks.organisation(organisation))
            self._report(self.sources[path], ids.check(organisation, remembered))
        for path, findings in checks.across(organisations).items():
            self._report(self.sources[path], findings)

    def _report(self, source: Source, findings: Iterable[tuple[Loc, str]]) -> None:
        ordered = sorted(findings, key=lambda finding: source.line(finding[0]))
        self.errors.extend(source.complain(loc, text) for loc, text in ordered)


def _read(file: str, octets: bytes, model: type[_Model]) -> tuple[Source, _Model | None, tuple[str, ...]]:
    """One file and what is wrong in it."""
    if (clean := _clean(octets, model)) is not None:
        return replace(clean[0], file=file), clean[1], ()
    source = read(file, octets)
    try:
        settings = model.model_validate(source.data) if source.data is not None else None
    except ValidationError as error:
        return source, None, (*source.errors, *_sorted_complaints(error, model, source))
    return source, settings, source.errors


@lru_cache(maxsize=128)
def _clean(octets: bytes, model: type[_Model]) -> tuple[Source, _Model] | None:
    """A file in which nothing is wrong, wherever it stands. Kept: a reload changes one file, and reading is slow."""
    source = read("", octets)
    if source.data is None or source.errors:
        return None
    try:
        return source, model.model_validate(source.data)
    except ValidationError:
        return None


def _sorted_complaints(error: ValidationError, model: type[Settings], source: Source) -> list[str]:
    found = [complaint(details, model, source) for details in error.errors(include_url=False)]
    ordered = sorted((f for f in found if f[0] not in source.broken), key=lambda item: source.line(item[0]))
    return list(dict.fromkeys(source.complain(loc, text) for loc, text in ordered))


def _octets(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError([f"{where}: cannot read {path}: {error.strerror}, expected a readable file"]) from error


def _organisation_files(folder: Path, main: Path) -> list[Path]:
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix in _SUFFIXES and not p.name.startswith("."))
    except OSError as error:
        text = f"{main}: organisations: cannot read {folder}: {error.strerror}, expected a folder"
        raise SettingsError([text]) from error
    if not files:
        raise SettingsError([f"{main}: organisations: {folder} holds no .yaml file, expected one per organisation"])
    return files


def _gateway_or_defaults(path: Path, octets: bytes) -> Gateway:
    """Where the other files are, even when gateway.yaml has errors: they are read too, and reported together."""
    data = _read(str(path), octets, Gateway)[0].data
    data = data if isinstance(data, dict) else {}
    plain: dict[str, object] = {"name": "", "state": "state", "listen": ()}
    plain |= {key: data[key] for key in _PLACES if isinstance(data.get(key), str)}
    own = data.get("own_trackers")
    plain["own_trackers"] = tuple(name for name in own if isinstance(name, str)) if isinstance(own, list) else ()
    return _anchored(Gateway.model_validate(plain), path.parent)


def _anchored(gateway: Gateway, folder: Path) -> Gateway:
    """Relative paths count from the file's folder."""
    changes: dict[str, object] = {key: _under(folder, getattr(gateway, key)) for key in _PLACES}
    changes["own_trackers"] = tuple(_under(folder, path) for path in gateway.own_trackers)
    if gateway.credentials is not None:
        changes["credentials"] = _under(folder, gateway.credentials)
    if gateway.web.folder is not None:
        changes["web"] = gateway.web.model_copy(update={"folder": _under(folder, gateway.web.folder)})
    if gateway.registry.ca is not None:
        changes["registry"] = gateway.registry.model_copy(update={"ca": _under(folder, gateway.registry.ca)})
    changes["listen"] = tuple(
        listener.model_copy(
            update={k: _under(folder, p) for k in ("certificate", "key") if (p := getattr(listener, k)) is not None}
        )
        for listener in gateway.listen
    )
    return gateway.model_copy(update=changes)


def _under(folder: Path, path: Path) -> Path:
    return Path(os.path.normpath(folder / path))


def _placed(organisation: Organisation, folder: Path) -> Organisation:
    providers = tuple(
        p.model_copy(update={"ca_file": str(_under(folder, Path(p.ca_file)))}) if p.ca_file else p
        for p in organisation.providers
    )
    changes: dict[str, object] = {"providers": providers}
    if (authorities := organisation.probe.ca_file) is not None:
        changes["probe"] = organisation.probe.model_copy(update={"ca_file": str(_under(folder, Path(authorities)))})
    return organisation.model_copy(update=changes)


def _remembered(gateway: Gateway, given: Iterable[KnownId] | None, reading: _Reading) -> frozenset[KnownId]:
    if given is not None:
        return frozenset(given)
    try:
        return ids.read(gateway.state)
    except PermissionError:
        pass  # the page's own user may not look into the mail's state; the mail unit checks this
    except ValueError as error:
        reading.errors.append(str(error))
    except OSError as error:
        reading.errors.append(f"{gateway.state / ids.FILE}: cannot be read: {error.strerror}, expected a readable file")
    return frozenset()


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _version(texts: Texts, folder: Path) -> str:
    """16 hex digits over names and octets, the same wherever the folder stands."""
    digest = hashlib.sha256()
    for path in sorted(texts):
        name = _shown(path, folder).encode()
        digest.update(b"%d:%b%d:" % (len(name), name, len(texts[path])))
        digest.update(texts[path])
    return digest.hexdigest()[:16]
