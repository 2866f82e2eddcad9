"""Keys and secrets: one flat folder of files, as systemd's LoadCredential gives them.

what:       reading every kind of credential, and creating what is missing without ever replacing anything
takes→gives: organisation and name → keys; `Gateway` → the folder
knows not:  what the keys are used for; DKIM's format (it keeps the PEM as it is)
fails by:   `CredentialsError`, which names the file and never shows its content
standard:   DESIGN §4 (Client secrets, Pseudonyms, Tokens); systemd.exec(5) CREDENTIALS
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.config.client_secret import check_stored
from gateway.config.environment import credentials_folder
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.pseudonym import Pseudonyms
from gateway.token import TokenKeys

SPOOL_KEY = "spool.key"
AUDIT_KEY = "audit.key"
_AES = 32  # octets: AES-256-GCM
_SIV = 64  # octets: AES-256-SIV
_PSEUDONYM = 32
_WEBHOOK_LEAST = 24  # octets, as the Standard Webhooks specification asks
_ED25519 = 32
_WIDEST = 0o640
_LARGEST = 64 * 1024
_HANDED = "credentials"  # LoadCredential=credentials:/etc/briefgeheim/credentials in systemd/


class CredentialsError(Exception):
    """A credential is missing, readable by others, or damaged. `errors`: one line each."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(errors))


@dataclass(frozen=True, slots=True)
class Credentials:
    """`folder` holds the files; `guarded` says that systemd made it, so that permissions are its business."""

    folder: Path
    guarded: bool = False

    @classmethod
    def of(cls, gateway: Gateway) -> Credentials:
        """The folder the settings name, else $CREDENTIALS_DIRECTORY, else STATE/credentials."""
        given = credentials_folder()
        if gateway.credentials is not None:
            return cls(gateway.credentials, guarded=gateway.credentials == given)
        return cls(given, guarded=True) if given is not None else cls(gateway.state / "credentials")

    def spool_keys(self) -> dict[int, bytes]:
        """Keys that wrap message keys, by id; the highest wraps, all unwrap."""
        return self._numbered(SPOOL_KEY, (_AES,))

    def audit_keys(self) -> dict[int, bytes]:
        """Ed25519 seeds that sign checkpoints of the audit, by id; the highest signs, all verify."""
        return self._numbered(AUDIT_KEY, (_ED25519,))

    def token_keys(self, organisation: str) -> TokenKeys:
        """Keys of opt-out links."""
        return TokenKeys(self._numbered(token_file(organisation), (32, 48, 64), largest=255))

    def pseudonyms(self, organisation: Organisation) -> Pseudonyms:
        """Pseudonym keys, oldest first, with the domains that block wide."""
        name = pseudonym_file(organisation.name)
        keys = tuple(self._key(name, number, text, (_PSEUDONYM,)) for number, text in self._lines(name))
        if not keys:
            raise CredentialsError(f"{self.folder / name}: empty, expected one base64 key per line, oldest first")
        return Pseudonyms(keys, frozenset(organisation.block_wide_domains))

    def case_keys(self, organisation: str) -> dict[int, bytes]:
        """Keys that seal requests of people, by id; the highest seals, all open."""
        return self._numbered(case_file(organisation), (_AES,))

    def dkim(self, organisation: str, selector: str, domain: str) -> bytes:
        """The private key in PEM."""
        return self._read(dkim_file(organisation, selector, domain))

    def client_secret(self, organisation: str, name: str) -> str:
        """The stored form of a client's secret."""
        file = client_file(organisation, name)
        stored = self._text(file).strip()
        try:
            check_stored(stored)
        except ValueError as error:
            raise CredentialsError(f"{self.folder / file}: {error}; make one with `briefgeheim keys client`") from None
        return stored

    def api_token(self, organisation: str, client: str) -> str:
        """The stored form of a client's token for the API."""
        file = api_file(organisation, client)
        stored = self._text(file).strip()
        try:
            check_stored(stored)
        except ValueError as error:
            raise CredentialsError(f"{self.folder / file}: {error}; make one with `briefgeheim keys api`") from None
        return stored

    def webhook_secret(self, organisation: str, name: str) -> bytes:
        """The key that signs a webhook, at least 24 octets."""
        file = webhook_file(organisation, name)
        try:
            key = base64.b64decode(self._text(file).strip().removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) < _WEBHOOK_LEAST:
            text = f"expected whsec_ and base64 of {_WEBHOOK_LEAST} octets or more"
            raise CredentialsError(f"{self.folder / file}: {text}; {_remedy(file)}")
        return key

    def provider_password(self, organisation: str, name: str) -> str:
        """The password itself, without line end."""
        file = provider_file(organisation, name)
        password = self._text(file).rstrip("\r\n")
        if not password or "\n" in password:
            raise CredentialsError(f"{self.folder / file}: expected the password on one line")
        return password

    def redis_password(self, organisation: str) -> str:
        """Of the organisation's own user in Redis, without line end."""
        file = redis_file(organisation)
        password = self._text(file).rstrip("\r\n")
        if not password or "\n" in password:
            raise CredentialsError(f"{self.folder / file}: expected the password on one line")
        return password

    def check(self, organisations: Iterable[Organisation]) -> list[str]:
        """Read everything these settings need; every error at once."""
        errors: list[str] = []
        for read in self._all(organisations):
            try:
                read()
            except CredentialsError as error:
                errors.extend(error.errors)
        return errors

    def exists(self, name: str) -> bool:
        return self.place(name).exists()

    def content(self, name: str) -> bytes:
        """The octets of one file. Raises `CredentialsError`."""
        return self._read(name)

    def names(self) -> list[str]:
        """Every file there is, by the name it is asked for."""
        if not self.folder.is_dir():
            return []
        found = (p.name for p in self.folder.iterdir() if p.is_file() and not p.name.startswith("."))
        return sorted(name.removeprefix(f"{_HANDED}_") if self.guarded else name for name in found)

    def place(self, name: str) -> Path:
        """Where this credential is: systemd gives a folder it was handed as files named FOLDER_NAME."""
        plain, handed = self.folder / name, self.folder / f"{_HANDED}_{name}"
        return handed if self.guarded and not plain.exists() and handed.exists() else plain

    def create(self, name: str, content: bytes) -> bool:
        """Write a new file (0600, durable). False, and nothing changed, when it is there already."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            file = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _sync(self.folder)
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Put a file in the place of an old one, if any; for secrets that can be made again, never for keys."""
        fresh = f".{name}.{secrets.token_hex(4)}"
        self.create(fresh, content)
        (self.folder / fresh).replace(self.folder / name)
        _sync(self.folder)

    def _all(self, organisations: Iterable[Organisation]) -> Iterator[Callable[[], object]]:
        yield self.spool_keys
        yield self.audit_keys
        for item in organisations:
            yield partial(self.token_keys, item.name)
            yield partial(self.pseudonyms, item)
            yield partial(self.case_keys, item.name)
            for domain in item.domains:
                if domain.dkim and domain.selector:
                    yield partial(self.dkim, item.name, domain.selector, domain.domain)
            for client in item.clients:
                if client.secret:
                    yield partial(self.client_secret, item.name, client.secret)
            for hook in item.webhooks:
                yield partial(self.webhook_secret, item.name, hook.secret)
            for provider in item.providers:
                if provider.secret:
                    yield partial(self.provider_password, item.name, provider.secret)

    def _numbered(self, name: str, sizes: tuple[int, ...], largest: int = 2**31) -> dict[int, bytes]:
        keys: dict[int, bytes] = {}
        for number, line in self._lines(name):
            identity, _, text = line.partition(" ")
            if not identity.isascii() or not identity.isdigit() or not 1 <= int(identity) <= largest:
                raise CredentialsError(f"{self.folder / name}:{number}: expected `id base64`, id 1 to {largest}")
            if int(identity) in keys:
                raise CredentialsError(f"{self.folder / name}:{number}: id {identity} again, expected each id once")
            keys[int(identity)] = self._key(name, number, text.strip(), sizes)
        if not keys:
            raise CredentialsError(f"{self.folder / name}: empty, expected one `id base64` per line")
        return keys

    def _key(self, name: str, number: int, text: str, sizes: tuple[int, ...]) -> bytes:
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) not in sizes:
            wanted = " or ".join(map(str, sizes))
            raise CredentialsError(f"{self.folder / name}:{number}: expected base64 of {wanted} octets")
        return key

    def _lines(self, name: str) -> list[tuple[int, str]]:
        lines = enumerate(self._text(name).splitlines(), 1)
        return [(number, line.strip()) for number, line in lines if line.strip() and not line.startswith("#")]

    def _text(self, name: str) -> str:
        try:
            return self._read(name).decode("utf-8")
        except UnicodeDecodeError:
            raise CredentialsError(f"{self.folder / name}: not text, expected UTF-8") from None

    def _read(self, name: str) -> bytes:
        path = self.place(name)
        try:
            with path.open("rb") as file:
                self._check_mode(path, os.fstat(file.fileno()))
                return file.read(_LARGEST)
        except FileNotFoundError:
            raise CredentialsError(f"{path}: missing; {_remedy(name)}") from None
        except OSError as error:
            raise CredentialsError(f"{path}: cannot be read: {error.strerror}") from error

    def _check_mode(self, path: Path, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise CredentialsError(f"{path}: expected a plain file")
        mode = stat.S_IMODE(found.st_mode)
        if not self.guarded and mode & ~_WIDEST & 0o077:
            raise CredentialsError(f"{path}: permissions {mode:04o}, expected 0640 or less; run `chmod 0600 {path}`")


def token_file(organisation: str) -> str:
    return f"{organisation}.token"


def pseudonym_file(organisation: str) -> str:
    return f"{organisation}.pseudonym"


def case_file(organisation: str) -> str:
    return f"{organisation}.cases"


def dkim_file(organisation: str, selector: str, domain: str) -> str:
    return f"{organisation}.dkim.{selector}.{domain}.pem"


def client_file(organisation: str, secret: str) -> str:
    return f"{organisation}.client.{secret}"


def api_file(organisation: str, client: str) -> str:
    return f"{organisation}.api.{client}"


def webhook_file(organisation: str, secret: str) -> str:
    return f"{organisation}.webhook.{secret}"


def redis_file(organisation: str) -> str:
    return f"{organisation}.redis"


def provider_file(organisation: str, secret: str) -> str:
    return f"{organisation}.provider.{secret}"


def new_spool_key() -> bytes:
    """First line of a spool key file."""
    return f"1 {_random(_AES)}\n".encode()


def new_case_key() -> bytes:
    """First line of a key file for cases. Losing it is losing every open request: keep a copy elsewhere."""
    return f"1 {_random(_AES)}\n".encode()


def new_audit_key() -> bytes:
    """First line of the file of keys that sign the audit. A new one proves nothing about what the old one signed."""
    return f"1 {_random(_ED25519)}\n".encode()


def new_webhook_secret() -> bytes:
    """A file with a signing secret, as receivers write it."""
    return f"whsec_{_random(_AES)}\n".encode()


def new_token_key() -> bytes:
    """First line of a token key file."""
    return f"1 {_random(_SIV)}\n".encode()


def new_pseudonym_key() -> bytes:
    """First layer of a pseudonym key file. Losing it is losing every block: keep a copy elsewhere."""
    return f"{_random(_PSEUDONYM)}\n".encode()


def _random(octets: int) -> str:
    return base64.b64encode(secrets.token_bytes(octets)).decode()


def _remedy(name: str) -> str:
    if ".client." in name:
        return "make it with `briefgeheim keys client NAME`"
    if ".api." in name:
        return "make it with `briefgeheim keys api CLIENT`"
    if ".webhook." in name:
        return "make it with `briefgeheim keys webhook NAME`"
    if ".provider." in name:
        return "store it with `briefgeheim keys provider NAME`"
    if name.endswith(".redis"):
        return "write the password of the Redis user there, with mode 0600"
    return "make it with `briefgeheim keys init`"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
