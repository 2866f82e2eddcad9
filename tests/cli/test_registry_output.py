"""Files for people: their owner's only, and whole or not there."""

from __future__ import annotations

import stat

import pytest
import typer

from gateway.cli.registry_output import private_file


def test_the_file_is_there_when_it_is_complete(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o644)
    with private_file(path, "--out") as file:
        file.write("né\r\n")
        file.flush()
        assert path.read_text() == "old"
        assert [stat.S_IMODE(p.stat().st_mode) for p in tmp_path.glob("*.part")] == [0o600]
    assert path.read_bytes() == "né\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_cut_off_leaves_nothing(tmp_path):
    def half() -> None:
        with private_file(tmp_path / "out", "--out") as file:
            file.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_exit_2(tmp_path, capsys):
    with pytest.raises(typer.Exit), private_file(tmp_path / "none" / "out", "--out"):
        pass
    assert capsys.readouterr().err.startswith("--out: cannot write")
