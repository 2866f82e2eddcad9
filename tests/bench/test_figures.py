"""The arithmetic of the benchmark, and the texts it reads; nothing here measures time."""

from __future__ import annotations

import pytest

from bench.figures import Result, Round, arrived, signatures, table

OPENSSL = """version: 3.0.22
CPUINFO: OPENSSL_ia32cap=0xfffa32034f8bffff:0x1a415f46f1bf2ffb
                  sign    verify    sign/s verify/s
rsa 2048 bits 0.000144s 0.000008s   6944.0 129601.0
"""


def result(ours: list[float], peer: list[float]) -> Result:
    mine = [Round(100, 100 / r, cpu=0.25) for r in ours]
    return Result("a load", "mails", mine, [Round(100, 100 / r) for r in peer])


def test_rate_is_number_by_seconds() -> None:
    assert Round(300, 1.5).rate == 200


def test_a_round_without_time_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        _ = Round(10, 0.0).rate


def test_the_median_round_counts_not_the_mean() -> None:
    assert result([100, 900, 110], []).rate() == pytest.approx(110)


def test_ratio_compares_neighbouring_rounds_so_that_a_slow_minute_counts_for_both() -> None:
    # In the second round the machine did half as much for both; the medians alone would say 100 / 200.
    assert result([200, 50, 100], [400, 100, 50]).ratio() == pytest.approx(0.5)
    assert result([200, 50, 90], [100, 25, 90]).ratio() == pytest.approx(2.0)


def test_rounds_without_their_neighbour_are_an_error() -> None:
    with pytest.raises(ValueError):
        result([1, 2, 3], [1, 2]).ratio()


def test_without_a_peer_there_is_no_ratio() -> None:
    alone = result([100], [])
    assert alone.ratio() is None
    assert alone.peer_rate() is None
    assert table([alone])[-1] == "| a load (mails/s) | **100** (100) | 2500 us | - | - |"


def test_table_shows_medians_each_round_and_the_ratio() -> None:
    lines = table([result([100, 120, 110], [50, 60, 55])])
    assert lines[0].startswith("| load")
    assert lines[2] == "| a load (mails/s) | **110** (100, 120, 110) | 2500 us | **55** (50, 60, 55) | 2.00 |"


def test_signatures_are_read_from_openssl_speed() -> None:
    assert signatures(OPENSSL) == 6944.0


@pytest.mark.parametrize("text", ["", OPENSSL * 2, OPENSSL.replace("2048", "4096")])
def test_output_that_is_not_of_openssl_speed_rsa2048_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 1"):
        signatures(text)


def test_counter_of_the_sink_is_its_last_whole_one() -> None:
    assert arrived(b"sess=1 quit=0 mesg=98\rsess=1 quit=0 mesg=99\rsess=1 quit=0 mesg=100\r") == 100
    assert arrived(b"sess=1 quit=0 mesg=99\rsess=1 quit=0 mesg=10") == 99  # 100 is being written
    assert arrived(b"sess=1\r") == 0
    assert arrived(b"") == 0
