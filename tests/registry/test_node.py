"""What a node remembers: whole or absent, and never guessed."""

from __future__ import annotations

import pytest

from gateway.registry import durable, node
from gateway.registry.record import Mark

MEMORY = node.Memory(b"r" * 16, b"j" * 16, 7, Mark(5, b"c" * 32), (11, 12))


def test_what_is_stored_is_loaded(tmp_path):
    path = tmp_path / "node" / "a.json"
    assert node.load(path) is None
    node.store(path, MEMORY)
    assert node.load(path) == MEMORY
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"registry": "zz"}'])
def test_a_file_of_something_else_is_an_error_not_a_new_node(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="not a node file"):
        node.load(path)


def test_a_failed_replacement_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    node.store(path, MEMORY)

    def failing(descriptor, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "write_all", failing)
    with pytest.raises(OSError):
        node.store(path, node.Memory(b"x" * 16, b"j" * 16, 7, Mark(9, b"c" * 32), (11, 12)))
    assert node.load(path) == MEMORY
