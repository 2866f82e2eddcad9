"""Credentials: read strictly, made once, never shown."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from gateway.config import credentials as files
from gateway.config.client_secret import check_secret, new_secret
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.facts import Scope, ScopeKind
from gateway.token import OptOut
from tests.config.samples import gateway, organisation

ALPHA = organisation()


def key(octet: int, size: int = 32) -> str:
    return base64.b64encode(bytes([octet]) * size).decode()


@pytest.fixture
def store(tmp_path: Path) -> Credentials:
    return Credentials(tmp_path / "credentials")


def fill(store: Credentials) -> None:
    store.create(files.SPOOL_KEY, files.new_spool_key())
    store.create(files.AUDIT_KEY, files.new_audit_key())
    store.create("alpha.token", files.new_token_key())
    store.create("alpha.pseudonym", files.new_pseudonym_key())
    store.create("alpha.cases", files.new_case_key())
    store.create("alpha.dkim.s1.alpha.example.pem", b"pem")
    store.create("alpha.client.crm", new_secret()[1].encode())
    store.create("alpha.provider.bulk", b"open sesame\n")


def test_everything_made_can_be_read(store: Credentials) -> None:
    fill(store)
    assert store.check([ALPHA]) == []
    assert [len(k) for k in store.spool_keys().values()] == [32]
    assert [len(k) for k in store.case_keys("alpha").values()] == [32]
    assert store.pseudonyms(ALPHA).version == 0
    assert store.dkim("alpha", "s1", "alpha.example") == b"pem"
    assert store.provider_password("alpha", "bulk") == "open sesame"
    opt_out = OptOut(11, bytes(32), 0, Scope(ScopeKind.LIST, 1), 20_000, 1)
    assert store.token_keys("alpha").open(store.token_keys("alpha").seal(opt_out)) == opt_out


def test_all_that_is_missing_is_told_with_the_file_and_the_remedy(store: Credentials) -> None:
    errors = store.check([ALPHA])
    assert [line.split(": missing; ")[0].rpartition("/")[2] for line in errors] == [
        "spool.key",
        "audit.key",
        "alpha.token",
        "alpha.pseudonym",
        "alpha.cases",
        "alpha.dkim.s1.alpha.example.pem",
        "alpha.client.crm",
        "alpha.provider.bulk",
    ]
    assert all("briefgeheim keys" in line for line in errors)


def test_a_client_known_by_its_network_needs_no_credential(store: Credentials) -> None:
    assert not any("alpha-shop" in line or "client.None" in line for line in store.check([ALPHA]))


def test_several_keys_are_read_by_id(store: Credentials) -> None:
    store.create(files.SPOOL_KEY, f"# old\n1 {key(1)}\n\n7 {key(7)}\n".encode())
    assert store.spool_keys() == {1: bytes([1]) * 32, 7: bytes([7]) * 32}


def test_pseudonym_keys_are_layers_oldest_first(store: Credentials) -> None:
    store.create("alpha.pseudonym", f"{key(1)}\n{key(2)}\n".encode())
    found = store.pseudonyms(organisation(block_wide_domains=["example.net"]))
    assert found.keys == (bytes([1]) * 32, bytes([2]) * 32)
    assert found.wide_domains == {"example.net"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        (f"x {key(1)}\n", ":1: expected `id base64`"),
        (f"0 {key(1)}\n", ":1: expected `id base64`"),
        (f"1 {key(1)}\n1 {key(2)}\n", ":2: id 1 again"),
        (f"1 {key(1, 16)}\n", ":1: expected base64 of 32 octets"),
        ("1 SECRET!\n", ":1: expected base64 of 32 octets"),
        ("1\n", ":1: expected base64 of 32 octets"),
    ],
)
def test_a_damaged_key_file_is_told_by_line_and_never_shown(store: Credentials, content: str, expected: str) -> None:
    store.create(files.SPOOL_KEY, content.encode())
    with pytest.raises(CredentialsError) as caught:
        store.spool_keys()
    assert expected in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert key(1) not in str(caught.value)


def test_an_id_that_a_token_cannot_carry_is_refused(store: Credentials) -> None:
    store.create("alpha.token", f"256 {key(1, 64)}\n".encode())
    with pytest.raises(CredentialsError, match="id 1 to 255"):
        store.token_keys("alpha")


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604, 0o777, 0o650])
def test_a_file_that_others_can_read_is_refused(store: Credentials, mode: int) -> None:
    fill(store)
    (store.folder / files.SPOOL_KEY).chmod(mode)
    with pytest.raises(CredentialsError, match=f"permissions {mode:04o}, expected 0640 or less"):
        store.spool_keys()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o440])
def test_a_file_for_owner_and_group_is_read(store: Credentials, mode: int) -> None:
    fill(store)
    (store.folder / files.SPOOL_KEY).chmod(mode)
    assert store.spool_keys()


def test_what_systemd_hands_over_is_read_whatever_its_permissions(store: Credentials) -> None:
    fill(store)
    (store.folder / files.SPOOL_KEY).chmod(0o644)
    assert Credentials(store.folder, guarded=True).spool_keys()


def test_a_folder_in_the_place_of_a_file_is_an_error(store: Credentials) -> None:
    (store.folder / files.SPOOL_KEY).mkdir(parents=True)
    with pytest.raises(CredentialsError, match=r"spool\.key"):
        store.spool_keys()


@pytest.mark.parametrize("content", [b"", b"\n", b"plain password\n", b"sha256:x:y", b"sha256:!!:!!", b"\xff\xfe"])
def test_a_client_secret_must_be_stored_as_a_digest(store: Credentials, content: bytes) -> None:
    store.create("alpha.client.crm", content)
    with pytest.raises(CredentialsError) as caught:
        store.client_secret("alpha", "crm")
    assert "plain password" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n"])
def test_a_password_is_one_line(store: Credentials, content: bytes) -> None:
    store.create("alpha.provider.bulk", content)
    with pytest.raises(CredentialsError, match="one line"):
        store.provider_password("alpha", "bulk")


def test_creating_never_replaces(store: Credentials) -> None:
    assert store.create("alpha.token", b"first")
    assert not store.create("alpha.token", b"second")
    assert (store.folder / "alpha.token").read_bytes() == b"first"


def test_files_and_folder_are_for_the_owner_alone(store: Credentials) -> None:
    old = os.umask(0)
    try:
        fill(store)
        store.replace("alpha.client.crm", b"x")
    finally:
        os.umask(old)
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in store.folder.iterdir()} == {0o600}


def test_replacing_leaves_no_other_file(store: Credentials) -> None:
    store.create("alpha.client.crm", b"first")
    store.replace("alpha.client.crm", b"second")
    assert [p.name for p in store.folder.iterdir()] == ["alpha.client.crm"]
    assert (store.folder / "alpha.client.crm").read_bytes() == b"second"


def test_a_new_secret_works_with_what_is_stored(store: Credentials) -> None:
    secret, stored = new_secret()
    store.create("alpha.client.crm", f"{stored}\n".encode())
    assert check_secret(store.client_secret("alpha", "crm"), secret)


def settings(tmp_path: Path, **changes: object) -> Gateway:
    return gateway(state=str(tmp_path / "state"), **changes)


def test_the_folder_is_the_one_in_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "systemd"))
    found = Credentials.of(settings(tmp_path, credentials=str(tmp_path / "own")))
    assert found == Credentials(tmp_path / "own", guarded=False)


def test_else_the_one_systemd_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "systemd"))
    assert Credentials.of(settings(tmp_path)) == Credentials(tmp_path / "systemd", guarded=True)


def test_else_the_one_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert Credentials.of(settings(tmp_path)) == Credentials(tmp_path / "state" / "credentials", guarded=False)


def test_a_folder_handed_over_by_systemd_has_its_name_before_each_file(tmp_path: Path) -> None:
    """systemd.exec(5): LoadCredential=credentials:FOLDER loads each file as credentials_NAME."""
    plain = Credentials(tmp_path / "plain")
    fill(plain)
    handed = tmp_path / "handed"
    handed.mkdir()
    for path in plain.folder.iterdir():
        (handed / f"credentials_{path.name}").write_bytes(path.read_bytes())
        (handed / f"credentials_{path.name}").chmod(0o444)
    guarded = Credentials(handed, guarded=True)
    assert guarded.check([ALPHA]) == []
    assert guarded.spool_keys() == plain.spool_keys()
    assert guarded.exists("alpha.token")
    assert "spool.key" in Credentials(handed).check([ALPHA])[0], "only systemd names files so"


def test_of_two_names_the_plain_one_counts(tmp_path: Path) -> None:
    (tmp_path / "alpha.provider.bulk").write_text("plain")
    (tmp_path / "credentials_alpha.provider.bulk").write_text("handed")
    assert Credentials(tmp_path, guarded=True).provider_password("alpha", "bulk") == "plain"
