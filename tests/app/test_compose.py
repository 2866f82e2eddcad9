"""Settings and keys become parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from gateway.address import Address
from gateway.app import compose
from gateway.cli.opening import wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded, load
from gateway.facts import NOBODY, Scope, ScopeKind
from gateway.token import InvalidToken, OptOut
from tests.cli.example import ready, settings

ANNA = Address.parse("anna@people.example")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(ready(tmp_path_factory.mktemp("compose")))


def built(loaded: Loaded) -> dict[str, compose.Tenant]:
    credentials = Credentials.of(loaded.gateway)
    registries = compose.open_registries(loaded, credentials, lambda *_: None)
    for registry in registries.values():
        registry.close()
    return compose.tenants(loaded, credentials, registries)


def test_i12_organisations_share_no_key_pseudonym_or_token(loaded: Loaded) -> None:
    found = built(loaded)
    alpha, beta = found["alpha"], found["beta"]
    assert alpha.pseudonyms.person(ANNA).exact != beta.pseudonyms.person(ANNA).exact
    token = alpha.tokens.seal(OptOut(11, b"p" * 32, 0, Scope(ScopeKind.LIST, 1), 1, 1))
    with pytest.raises(InvalidToken):
        beta.tokens.open(token)


def test_each_client_finds_its_own_organisation(loaded: Loaded) -> None:
    found = built(loaded)
    clients = {client: tenant.organisation.name for client, tenant in compose.parts(loaded, found).tenants.items()}
    assert clients == {"alpha-crm": "alpha", "alpha-shop": "alpha", "beta-office": "beta"}


def test_only_domains_that_are_signed_have_a_signer(loaded: Loaded) -> None:
    assert set(built(loaded)["alpha"].signers) == {"alpha.example"}
    assert built(loaded)["beta"].signers == {}


def test_a_missing_key_is_named_and_nothing_is_made_up(tmp_path: Path) -> None:
    loaded = load(settings(tmp_path))
    with pytest.raises(CredentialsError, match=r"alpha\.pseudonym"):
        compose.open_registries(loaded, Credentials.of(loaded.gateway), lambda *_: None)


async def test_explaining_without_keys_says_what_it_made_up_and_knows_nobody(tmp_path: Path) -> None:
    loaded = load(settings(tmp_path))
    house = compose.dry(loaded, "alpha-crm", wrong)
    assert [note.split(":")[0] for note in house.notes] == [
        "keys made up for this run",
        "no registry of alpha with these keys",
    ]
    person = house.tenant.pseudonyms.person(ANNA)
    assert await house.tenant.registry.facts([person]) == [NOBODY]
    assert not loaded.gateway.state.exists() or not list(loaded.gateway.state.rglob("*.sqlite")), "nothing is stored"
    with pytest.raises(TypeError):
        await house.tenant.registry.record([])


def test_explaining_with_keys_and_registry_needs_no_note(loaded: Loaded) -> None:
    house = compose.dry(loaded, "alpha-crm", wrong)
    house.tenant.registry.close()
    assert list(house.notes) == []
    assert list(house.dns) == ["s1._domainkey.alpha.example"]


def test_a_domain_of_somebody_else_is_signed_only_when_lent(loaded: Loaded) -> None:
    house = compose.dry(loaded, "alpha-crm", wrong)
    house.tenant.registry.close()
    assert house.lend("other.example") is not None
    assert "s1._domainkey.other.example" in house.dns


def test_an_unknown_client_is_told_which_there_are(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        compose.dry(loaded, "alpha-crn", wrong)
    assert "expected one of alpha-crm, alpha-shop, beta-office" in capsys.readouterr().err
