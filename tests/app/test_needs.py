"""What must be there before anything starts is named, all of it, with the command that makes it."""

from __future__ import annotations

from pathlib import Path

from gateway.app.needs import missing
from gateway.config.load import load
from tests.cli.example import ready, settings


def test_i13_without_keys_and_registries_everything_missing_is_named(tmp_path: Path) -> None:
    loaded = load(settings(tmp_path))
    found = "\n".join(missing(loaded, {"mail", "web"}))
    assert "spool.key: missing; make it with `briefgeheim keys init`" in found
    for organisation in loaded.organisations:
        assert f"registry init --organisation {organisation.name}" in found


def test_the_page_needs_the_keys_of_its_links_only(tmp_path: Path) -> None:
    loaded = load(settings(tmp_path))
    found = missing(loaded, {"web"})
    assert len(found) == len(loaded.organisations)
    assert all(".token" in line for line in found)


def test_with_keys_and_registries_only_secrets_are_missing(tmp_path: Path) -> None:
    found = missing(load(ready(tmp_path)), {"mail", "web"})
    assert found
    assert all(line.endswith(("`briefgeheim keys client NAME`", "`briefgeheim keys provider NAME`")) for line in found)


def test_the_passwords_of_redis_are_named_where_the_settings_ask_for_them(tmp_path: Path) -> None:
    file = ready(tmp_path)
    redis = "\nregistry:\n  backend: redis\n  url: redis://127.0.0.1:1\n  password: yes\n"
    file.write_text(file.read_text("utf-8") + redis, "utf-8")
    found = [line for line in missing(load(file), {"mail"}) if ".redis: missing" in line]
    assert len(found) == 2
