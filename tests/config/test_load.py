"""Loading: from files to one value, from texts to the same value, and everything that can be wrong around it."""

from __future__ import annotations

import pickle
import re
import shutil
from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ids
from gateway.config.ids import KnownId
from gateway.config.load import SettingsError, load, load_texts, read_texts
from gateway.decision import Stream
from tests.config.samples import GOOD, SHIPPED


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "config")) / "gateway.yaml"


def test_everything_of_one_version_comes_together(settings: Path) -> None:
    loaded = load(settings)
    assert loaded.gateway.name == "mail.example.org"
    assert loaded.gateway.delivery.retry == (timedelta(minutes=5), timedelta(hours=1))
    assert [o.name for o in loaded.organisations] == ["alpha", "beta"]
    assert loaded.trackers.parameters[0].names == ("utm_source",)
    assert loaded.organisation("beta").id == 12
    assert [path.name for path in loaded.texts] == ["gateway.yaml", "trackers.yaml", "alpha.yaml", "beta.yaml"]


def test_a_worker_gets_the_same_from_the_texts_without_the_files(settings: Path) -> None:
    loaded = load(settings)
    texts = pickle.loads(pickle.dumps(loaded.texts))
    shutil.rmtree(settings.parent)
    again = load_texts(texts)
    assert again == loaded


def test_relative_paths_count_from_the_files_folder(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = settings.parent / "organisations" / "alpha.yaml"
    path.write_text(path.read_text().replace("    secret: bulk\n", "    secret: bulk\n    ca_file: ../ca.pem\n"))
    monkeypatch.chdir(settings.parent.parent)
    for path in (settings, Path("config/gateway.yaml")):
        loaded = load(path)
        assert loaded.gateway.state == settings.parent / "state"
        assert loaded.gateway.listen[1].key == settings.parent / "key.pem"
        assert loaded.organisation("alpha").by_provider["bulk"].ca_file == str(settings.parent / "ca.pem")


def test_absolute_paths_stay(settings: Path, tmp_path: Path) -> None:
    settings.write_text(settings.read_text().replace("state: state", f"state: {tmp_path}/s\ncredentials: {tmp_path}/c"))
    gateway = load(settings).gateway
    assert (gateway.state, gateway.credentials) == (tmp_path / "s", tmp_path / "c")


def test_the_version_follows_the_content_and_not_the_place(settings: Path, tmp_path: Path) -> None:
    first = load(settings).version
    copied = Path(shutil.copytree(settings.parent, tmp_path / "other"))
    assert load(copied / "gateway.yaml").version == first
    beta = copied / "organisations" / "beta.yaml"
    beta.write_text(beta.read_text().replace("Street 2", "Street 3"))
    assert load(copied / "gateway.yaml").version != first


def test_errors_name_the_file_as_it_was_given(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.write_text("zebra: 1\n" + settings.read_text())
    monkeypatch.chdir(settings.parent.parent)
    with pytest.raises(SettingsError) as caught:
        load(Path("config/gateway.yaml"))
    assert caught.value.errors[0].startswith("config/gateway.yaml:1: zebra: unknown key")
    assert str(caught.value) == caught.value.errors[0]


def test_a_missing_file_is_one_clear_error(settings: Path) -> None:
    (settings.parent / "trackers.yaml").unlink()
    with pytest.raises(SettingsError, match=r"trackers: cannot read .*trackers\.yaml: No such file"):
        load(settings)
    with pytest.raises(SettingsError, match=r"cannot read .*none\.yaml: No such file"):
        load(settings.parent / "none.yaml")


def test_no_organisation_is_an_error(settings: Path) -> None:
    shutil.rmtree(settings.parent / "organisations")
    with pytest.raises(SettingsError, match=r"organisations: cannot read .*expected a folder"):
        load(settings)
    (settings.parent / "organisations").mkdir()
    with pytest.raises(SettingsError, match=r"holds no \.yaml file"):
        load(settings)


def test_files_of_an_editor_are_left_alone(settings: Path) -> None:
    for name in (".alpha.yaml.swp", ".#beta.yaml", "beta.yaml~", "README.md"):
        (settings.parent / "organisations" / name).write_text("no: settings")
    assert len(load(settings).organisations) == 2


def test_a_file_that_is_no_mapping_is_an_error(settings: Path) -> None:
    settings.write_text("- name: x\n")
    with pytest.raises(SettingsError) as caught:
        load(settings)
    assert caught.value.errors == [f"{settings}:1: is a list, expected a mapping of settings"]


def test_ids_remembered_in_the_state_folder_are_checked(settings: Path) -> None:
    state = settings.parent / "state"
    state.mkdir()
    (state / "ids.json").write_text('[["alpha", "list", 9, "gone"]]')
    with pytest.raises(SettingsError, match=r"list 'gone' \(id 9\) is gone"):
        load(settings)
    assert load(settings, remembered=()).organisations, "given ids count instead of the folder's"


def test_a_damaged_memory_of_ids_is_an_error_and_not_an_empty_one(settings: Path) -> None:
    state = settings.parent / "state"
    state.mkdir()
    (state / "ids.json").write_text('[["alpha", "list"')
    with pytest.raises(SettingsError, match=r"ids\.json: damaged"):
        load(settings)


def test_a_state_folder_that_is_none_is_an_error(settings: Path) -> None:
    (settings.parent / "state").write_text("a file")
    with pytest.raises(SettingsError, match=r"ids\.json: cannot be read: Not a directory, expected"):
        load(settings)


def test_a_process_that_may_not_look_into_the_state_leaves_that_check_to_others(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(state: Path) -> frozenset[KnownId]:
        raise PermissionError(13, "Permission denied", str(state))

    monkeypatch.setattr(ids, "read", forbidden)  # the tests' user may be root, whom nothing is forbidden
    assert load(settings).gateway.name == "mail.example.org"


def test_given_ids_are_checked_without_any_file() -> None:
    texts = read_texts(GOOD / "gateway.yaml")
    with pytest.raises(SettingsError) as caught:
        load_texts(texts, [KnownId("alpha", "topic", 1, "dance")])
    assert "alpha.yaml:24: topics.music.id: id 1 belonged to topic 'dance'" in caught.value.errors[0]


def test_the_shipped_gateway_file_is_small() -> None:
    assert len(SHIPPED.read_text().splitlines()) < 40


def test_the_shipped_settings_load() -> None:
    loaded = load_texts(read_texts(SHIPPED), remembered=())
    clients = sorted(c.name for o in loaded.organisations for c in o.clients)
    assert clients == [
        "kleine-parel-crm",
        "kleine-parel-office",
        "kleine-parel-webshop",
        "rezulto-crm",
        "rezulto-office",
        "rezulto-webshop",
    ]
    assert {(o.id, o.name) for o in loaded.organisations} == {(1, "kleine-parel"), (2, "rezulto")}
    assert all(o.streams[Stream.WEBSHOP].tracking == "never" for o in loaded.organisations)


TEXTS = {path: octets for path, octets in read_texts(GOOD / "gateway.yaml").items() if path.name != "alpha.yaml"}
PIECES = st.sampled_from([b":", b"- ", b"\n", b"  ", b"\t", b"{", b"]", b"'", b"null", b"0", b"\xff", b"*a", b"yes"])


@hypothesis.settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 1200), st.integers(0, 12), PIECES)
def test_whatever_is_damaged_there_are_settings_or_errors_with_their_line(
    path: Path, start: int, length: int, piece: bytes
) -> None:
    start = min(start, len(TEXTS[path]))
    damaged = TEXTS | {path: TEXTS[path][:start] + piece + TEXTS[path][start + length :]}
    try:
        errors = [] if load_texts(damaged, remembered=()) else ["nothing loaded"]
    except SettingsError as error:
        errors = error.errors or ["no error told"]
    assert all(re.match(r".*\.yaml:\d+: ", line) for line in errors)


def test_own_files_about_trackers_are_added_and_belong_to_the_version(settings: Path) -> None:
    before = load(settings)
    own = settings.parent / "own.yaml"
    own.write_text("version: 2025-01-01\nopens: [{name: a, source: ours, licence: own, hosts: [teller.example]}]\n")
    settings.write_text(settings.read_text() + "own_trackers: [own.yaml]\n")
    loaded = load(settings)
    assert [group.name for group in loaded.trackers.opens] == ["a"]
    assert loaded.trackers.parameters == before.trackers.parameters
    assert loaded.trackers.version == before.trackers.version
    assert loaded.gateway.own_trackers == (own,)
    assert load_texts(loaded.texts).trackers == loaded.trackers
    assert len({organisation.name for organisation in loaded.organisations}) == len(before.organisations)
    changed = load(settings).version
    own.write_text(own.read_text().replace("teller", "anders"))
    assert load(settings).version != changed


def test_a_mistake_in_an_own_file_is_told_with_its_line(settings: Path) -> None:
    own = settings.parent / "own.yaml"
    own.write_text("version: 2025-01-01\nopens:\n  - {name: a, source: s, licence: l, shapes: [x]}\n")
    settings.write_text(settings.read_text() + "own_trackers: [own.yaml]\n")
    with pytest.raises(SettingsError, match=r"own\.yaml:3: opens\.a\.shapes"):
        load(settings)
