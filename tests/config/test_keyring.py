"""Key files only grow, durably; nothing that is needed goes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway.config import credentials as files
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.keyring import Keyring, Kind, key_check, key_lines
from tests.config.samples import organisation

ALPHA = organisation()


@pytest.fixture
def store(tmp_path: Path) -> Credentials:
    made = Credentials(tmp_path / "credentials")
    made.create(files.SPOOL_KEY, files.new_spool_key())
    made.create("alpha.token", files.new_token_key())
    made.create("alpha.pseudonym", b"# since the beginning\n" + files.new_pseudonym_key())
    made.create("alpha.cases", files.new_case_key())
    return made


def ring(store: Credentials, kind: Kind) -> Keyring:
    return Keyring(store, kind, "" if kind is Kind.SPOOL else "alpha")


@pytest.mark.parametrize("kind", list(Kind))
def test_a_new_key_comes_behind_the_others_which_stay_octet_for_octet(store: Credentials, kind: Kind) -> None:
    keys = ring(store, kind)
    before, number = keys.path.read_bytes(), max(keys.ids())
    assert keys.add() == number + 1
    assert keys.path.read_bytes().startswith(before)
    assert keys.ids()[-1] == number + 1
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert len(set(keys.checks())) == 2


def test_the_new_key_is_the_one_that_is_used(store: Credentials) -> None:
    ring(store, Kind.PSEUDONYM).add()
    ring(store, Kind.TOKEN).add()
    assert store.pseudonyms(ALPHA).version == 1
    assert max(store.token_keys("alpha").keys) == 2


def test_a_last_line_without_an_end_is_not_run_into_the_next(store: Credentials) -> None:
    keys = ring(store, Kind.SPOOL)
    keys.path.write_bytes(keys.path.read_bytes().rstrip(b"\n"))
    keys.add()
    assert keys.ids() == [1, 2]


def test_mode_stays_so_that_the_gateway_can_go_on_reading(store: Credentials) -> None:
    keys = ring(store, Kind.SPOOL)
    keys.path.chmod(0o640)
    keys.add()
    assert keys.path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in keys.path.parent.iterdir() if p.name.startswith(".")) == []


def test_two_rotations_at_once_lose_neither_key(store: Credentials) -> None:
    keys = ring(store, Kind.PSEUDONYM)
    threads = [threading.Thread(target=keys.add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys.ids() == list(range(9))


def test_a_damaged_file_is_left_alone(store: Credentials) -> None:
    keys = ring(store, Kind.TOKEN)
    keys.path.write_bytes(b"1 nonsense\n")
    with pytest.raises(CredentialsError):
        keys.add()
    assert keys.path.read_bytes() == b"1 nonsense\n"


def test_there_are_no_more_than_255_layers(store: Credentials) -> None:
    keys = ring(store, Kind.PSEUDONYM)
    keys.path.write_bytes(files.new_pseudonym_key() * 256)
    with pytest.raises(CredentialsError, match="255"):
        keys.add()


def test_an_old_key_can_be_dropped_and_the_newest_cannot(store: Credentials) -> None:
    keys = ring(store, Kind.SPOOL)
    keys.add()
    newest = store.spool_keys()[2]
    with pytest.raises(CredentialsError, match="the one in use"):
        keys.drop(2)
    with pytest.raises(CredentialsError, match="has no key 7"):
        keys.drop(7)
    keys.drop(1)
    assert store.spool_keys() == {2: newest}


@pytest.mark.parametrize("kind", [Kind.PSEUDONYM, Kind.TOKEN])
def test_keys_that_people_and_links_are_known_by_are_never_dropped(store: Credentials, kind: Kind) -> None:
    keys = ring(store, kind)
    keys.add()
    with pytest.raises(CredentialsError, match="every key of this kind is needed"):
        keys.drop(keys.ids()[0])


def test_a_check_tells_keys_and_files_apart_and_not_the_key() -> None:
    one = key_check("alpha.token", b"1 AAAA")
    assert one == key_check("alpha.token", b"1 AAAA\n")
    assert len({one, key_check("beta.token", b"1 AAAA"), key_check("alpha.token", b"1 AAAB")}) == 3
    assert "AAAA" not in one


def test_comments_and_empty_lines_are_no_keys() -> None:
    assert key_lines(b"# a note\n\n one \ntwo\n") == [b"one", b"two"]
