"""`briefgeheim registry match`: the own list comes back with flags, and nothing of it is kept."""

from __future__ import annotations

import csv
import stat

from tests.cli.conftest import NAMED

PEOPLE = """\
address,kind,scope,at,channel,wording,proof,minor
anna@example.nl,consent,list:nieuwsbrief,2024-01-01,form,v1,f,
bert@example.nl,opt-out,source:perfectview,2024-01-01,,,,
bert@example.nl,consent,list:nieuwsbrief,2025-01-01,form,v1,f,
carla@example.nl,erasure,,,,,,
dirk@example.nl,restriction,,,,,,
eva@example.nl,minor,,,,,,yes
"""


def test_s22_s37_flags_say_who_may_get_what_and_who_must_be_told_otherwise(made, config, tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    assert made("import", str(tmp_path / "people.csv")).exit_code == 0
    names = [
        " Anna@Example.nl",
        "bert@example.nl",
        "carla@example.nl",
        "dirk@example.nl",
        "eva@example.nl",
        "new@example.nl",
        "x",
    ]
    (tmp_path / "list.csv").write_text("Naam;Mail\n" + "".join(f"n;{name}\n" for name in names))
    out = tmp_path / "flags.csv"
    result = made("match", str(tmp_path / "list.csv"), "--out", str(out), *NAMED)
    assert result.exit_code == 0, result.output
    assert "7 rows, 1 without a usable address" in result.stdout
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["Mail"] for row in rows] == names
    assert [row["line"] for row in rows] == ["2", "3", "4", "5", "6", "7", "8"]
    anna, bert, carla, dirk, eva, new, nobody = rows
    assert anna["newsletter"] == "yes: list:nieuwsbrief"
    assert bert["newsletter"] == "no: opt-out: opt-out source:perfectview in force"
    assert (bert["other_channel"], bert["pending_return"], bert["webshop"]) == ("call or letter", "yes", "yes")
    assert (carla["erased"], carla["other_channel"], carla["webshop"][:3]) == ("delete from your database", "", "no:")
    assert (dirk["restricted"], dirk["other_channel"]) == ("yes", "")
    assert eva["minor"] == "yes"
    assert new["newsletter"] == "no: list-consent: consent list:nieuwsbrief missing"
    assert new["policy_change"] == "yes"
    assert (nobody["problem"], nobody["newsletter"]) == ("not one usable mail address, expected name@domain", "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_nothing_is_stored_but_that_somebody_asked(made, config, tmp_path):
    import sqlite3

    (tmp_path / "list.csv").write_text("E-mail\nanna@example.nl\n")
    assert made("match", str(tmp_path / "list.csv"), "--out", str(tmp_path / "o.csv"), *NAMED).exit_code == 0
    connection = sqlite3.connect(config.parents[1] / "state" / "registry" / "kleine-parel.sqlite")
    counts = [connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("events", "state")]
    acts = connection.execute("SELECT operator, reason, what FROM acts").fetchall()
    connection.close()
    assert (counts, acts) == ([0, 0], [("jan", "asked by phone", "match")])


def test_a_list_without_a_column_of_addresses_leaves_no_file(made, tmp_path):
    (tmp_path / "list.csv").write_text("Naam\nanna@example.nl\n")
    result = made("match", str(tmp_path / "list.csv"), "--out", str(tmp_path / "o.csv"), *NAMED)
    assert (result.exit_code, "--column" in result.stderr) == (2, True)
    assert list(tmp_path.glob("o.csv*")) == []
