"""`briefgeheim keys`: make keys and secrets, and print what to publish.

what:       init, client, provider, dkim, dns; nothing here ever replaces a key. Rotation, status, escrow: files beside
takes→gives: the settings → files in the credentials folder, text for people
knows not:  running processes
fails by:   exit 2 on settings, exit 1 when a name is unknown or a file cannot be made
standard:   R-086, R-091; DESIGN §4 Client secrets
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.cli import keys_api, keys_escrow, keys_rotate, keys_status
from gateway.cli.opening import DEFAULT_CONFIG, Config
from gateway.config import credentials as files
from gateway.config.client_secret import new_secret
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded, SettingsError, load
from gateway.config.organisation import Client, Domain, Organisation, Provider
from gateway.signing.keys import dns_record, generate

app = typer.Typer(help="Make keys and secrets, and print the DNS records to publish.", no_args_is_help=True)

app.command("rotate")(keys_rotate.rotate)
app.command("apply")(keys_rotate.apply)
app.command("retire")(keys_rotate.retire)
app.command("status")(keys_status.status)
app.command("escrow")(keys_escrow.escrow)
app.command("recover")(keys_escrow.recover)

OrganisationName = Annotated[str | None, typer.Option("--organisation", help="Only this organisation.")]


@app.command()
def init(config: Config = DEFAULT_CONFIG) -> None:
    """Make every missing key: spool, and per organisation pseudonyms, links, cases, DKIM. Replaces nothing."""
    loaded = _load(config)
    store = Credentials.of(loaded.gateway)
    made = [
        name
        for name, content in _wanted(loaded.organisations)
        if not store.exists(name) and _make(store, name, content)
    ]
    for name in made:
        print(f"made  {store.folder / name}")
    print(f"{len(made)} made in {store.folder}, all others were there.")
    if any(name.endswith(".pseudonym") for name in made):
        print("Keep a copy of the .pseudonym files in a safe place: without them every block in the registry is lost.")
    for line in (line for line in store.check(loaded.organisations)):
        print(f"still {line}")


@app.command()
def client(
    name: Annotated[str, typer.Argument(help="Name of the client.")],
    config: Config = DEFAULT_CONFIG,
    replace: Annotated[bool, typer.Option("--replace", help="Make a new secret; the old one stops working.")] = False,
) -> None:
    """Make a client's secret, store only its digest, and print the secret once."""
    loaded = _load(config)
    organisation, found = _client(loaded, name)
    if found.secret is None:
        _fail(f"client {name} has no `secret:` in its settings: it is known by its network alone")
    secret, stored = new_secret()
    _store(Credentials.of(loaded.gateway), files.client_file(organisation.name, found.secret), stored, replace)
    print(f"user      {name}\npassword  {secret}")
    print("This is shown once; the gateway keeps a digest only.", file=sys.stderr)


@app.command()
def provider(
    name: Annotated[str, typer.Argument(help="Name of the provider.")],
    config: Config = DEFAULT_CONFIG,
    organisation: OrganisationName = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the password that is there.")] = False,
) -> None:
    """Store the password for a provider; it is asked for, or read from standard input."""
    loaded = _load(config)
    owner, found = _provider(loaded, name, organisation)
    if found.secret is None:
        _fail(f"provider {name} of {owner.name} has no `secret:` in its settings")
    password = _password()
    if not password or not password.isprintable():
        _fail("expected a password of one line")
    path = files.provider_file(owner.name, found.secret)
    _store(Credentials.of(loaded.gateway), path, password, replace)
    print(f"stored {path}")


@app.command()
def dkim(config: Config = DEFAULT_CONFIG, organisation: OrganisationName = None) -> None:
    """Make missing DKIM keys, for a new domain or a new selector, and print their DNS records."""
    loaded = _load(config)
    store = Credentials.of(loaded.gateway)
    for owner, domain in _signed(loaded, organisation):
        name = _dkim_file(owner, domain)
        if not store.exists(name):
            _make(store, name, generate())
            print(f"made  {store.folder / name}", file=sys.stderr)
    _print_records(loaded, organisation)


@app.command()
def dns(config: Config = DEFAULT_CONFIG, organisation: OrganisationName = None) -> None:
    """Print the TXT records to publish, as lines of a zone file."""
    _print_records(_load(config), organisation)


def _load(config: Path) -> Loaded:
    try:
        return load(config)
    except SettingsError as error:
        for line in error.errors:
            print(line, file=sys.stderr)
        raise typer.Exit(2) from None


def _fail(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(1)


def _wanted(organisations: Iterable[Organisation]) -> Iterator[tuple[str, bytes]]:
    """Every key file that should be there. Making a DKIM key takes time, so content comes only when it is asked for."""
    yield files.SPOOL_KEY, files.new_spool_key()
    yield files.AUDIT_KEY, files.new_audit_key()
    for item in organisations:
        yield files.token_file(item.name), files.new_token_key()
        yield files.pseudonym_file(item.name), files.new_pseudonym_key()
        yield files.case_file(item.name), files.new_case_key()
        for domain in item.domains:
            if domain.dkim:
                yield _dkim_file(item, domain), b""


def _make(store: Credentials, name: str, content: bytes) -> bool:
    try:
        return store.create(name, content or generate())
    except OSError as error:
        _fail(f"{store.folder / name}: cannot be made: {error.strerror}")


def _store(store: Credentials, name: str, content: str, replace: bool) -> None:
    octets = f"{content}\n".encode()
    try:
        if replace:
            store.replace(name, octets)
        elif not store.create(name, octets):
            _fail(f"{store.folder / name} is there already; --replace makes a new one")
    except OSError as error:
        _fail(f"{store.folder / name}: cannot be made: {error.strerror}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _client(loaded: Loaded, name: str) -> tuple[Organisation, Client]:
    for organisation in loaded.organisations:
        if name in organisation.by_client:
            return organisation, organisation.by_client[name]
    names = sorted(n for o in loaded.organisations for n in o.by_client)
    _fail(f"no client {name!r}, expected one of: {', '.join(names)}")


def _provider(loaded: Loaded, name: str, owner: str | None) -> tuple[Organisation, Provider]:
    having = [o for o in loaded.organisations if name in o.by_provider and owner in (None, o.name)]
    if not having:
        _fail(f"no provider {name!r}" + (f" of {owner}" if owner else ""))
    if len(having) > 1:
        _fail(f"provider {name!r} is of {' and '.join(o.name for o in having)}; say which with --organisation")
    return having[0], having[0].by_provider[name]


app.command("api")(keys_api.api)
app.command("webhook")(keys_api.webhook)


def _signed(loaded: Loaded, owner: str | None) -> list[tuple[Organisation, Domain]]:
    if owner is not None and owner not in {o.name for o in loaded.organisations}:
        _fail(f"no organisation {owner!r}")
    wanted = (o for o in loaded.organisations if owner in (None, o.name))
    return [(o, domain) for o in wanted for domain in o.domains if domain.dkim]


def _dkim_file(organisation: Organisation, domain: Domain) -> str:
    return files.dkim_file(organisation.name, str(domain.selector), domain.domain)


def _print_records(loaded: Loaded, owner: str | None) -> None:
    store = Credentials.of(loaded.gateway)
    errors = []
    for organisation, domain in _signed(loaded, owner):
        try:
            pem = store.dkim(organisation.name, str(domain.selector), domain.domain)
            host, text = dns_record(pem, domain.domain, str(domain.selector))
        except (CredentialsError, ValueError) as error:
            errors.append(str(error))
            continue
        print(f"{host}. IN TXT ( {text} )")
    if errors:
        _fail("\n".join(errors))
