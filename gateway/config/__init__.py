"""YAML 1.2 files → frozen settings; every error as `file:line: what, expected`."""
