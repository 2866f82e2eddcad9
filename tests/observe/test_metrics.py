"""What metrics may hold."""

from __future__ import annotations

import ast
from pathlib import Path

from gateway.observe import metrics
from gateway.observe.reference import declared

GATEWAY = Path(metrics.__file__).parents[1]


def test_gauges_of_several_workers_add_up_or_take_the_worst() -> None:
    modes = {name: m._multiprocess_mode for name, m in declared().items() if hasattr(m, "_multiprocess_mode")}
    assert set(modes.values()) <= {"livesum", "livemax"}, "a process number as label would grow with every restart"


def test_labels_are_given_in_number_as_declared() -> None:
    wrong = []
    for path in GATEWAY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(value=ast.Name("metrics"), attr=name), attr="labels"),
                    args=arguments,
                ) if not any(isinstance(a, ast.Starred) for a in arguments):
                    metric = getattr(metrics, name)
                    if len(arguments) + len(node.keywords) != len(metric._labelnames):
                        wrong.append(f"{path.name}:{node.lineno} {name}")
    assert wrong == []
