from __future__ import annotations

import threading
from collections import Counter
from ipaddress import ip_network

import pytest
from argon2 import PasswordHasher

from gateway.config.client_secret import check_secret, digest
from gateway.ingress import auth
from gateway.ingress.auth import BadAnswer, Login, Presented
from gateway.ingress.clients import ClientDirectory, ClientEntry

FAST = digest("fast secret", b"0123456789abcdef")
SLOW = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("chosen password")


class Counting:
    """The real comparison, counted by kind and by thread."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.threads: set[tuple[str, bool]] = set()

    def __call__(self, stored: str, presented: bytes) -> bool:
        kind = "slow" if stored.startswith("$argon2") else "fast"
        self.kinds[kind] += 1
        self.threads.add((kind, threading.current_thread() is threading.main_thread()))
        return check_secret(stored, presented)


def directory(*kinds: str) -> ClientDirectory:
    stored = {"fast": FAST, "slow": SLOW}
    return ClientDirectory([ClientEntry(kind, "school", (), stored[kind]) for kind in kinds])


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b"AGEAYg==", b"\0a\0b"), (b"=", b""), (b"", b"")],
)
def test_an_answer_is_base64(line: bytes, expected: bytes) -> None:
    assert auth.decode_answer(line) == expected


@pytest.mark.parametrize("line", [b"AGEAYg=", b"AGEA Yg==", b"@@@@", b"\xff\xfe", b"AGEAYg==AGEA"])
def test_what_is_not_base64_is_a_bad_answer(line: bytes) -> None:
    with pytest.raises(BadAnswer):
        auth.decode_answer(line)


def test_plain_has_three_parts() -> None:
    assert auth.plain(b"\0crm\0secret") == Presented("crm", b"secret")
    assert auth.plain(b"crm\0crm\0secret") == Presented("crm", b"secret")
    for wrong in (b"", b"crm\0secret", b"\0crm\0sec\0ret"):
        with pytest.raises(BadAnswer):
            auth.plain(wrong)


async def test_acting_for_somebody_else_is_refused() -> None:
    clients = directory("fast")
    assert await Login(check_secret).check(clients, auth.plain(b"boss\0fast\0fast secret")) is None


def test_a_password_never_prints() -> None:
    assert "secret" not in repr(Presented("crm", b"secret"))


@pytest.mark.parametrize(("name", "password"), [("fast", b"fast secret"), ("slow", b"chosen password")])
async def test_the_right_secret_gives_the_client(name: str, password: bytes) -> None:
    clients = directory("fast", "slow")
    login = Login(check_secret)
    assert await login.check(clients, Presented(name, password)) is clients[name]
    assert await login.check(clients, Presented(name, password + b"x")) is None


async def test_a_client_without_secret_cannot_log_in() -> None:
    clients = ClientDirectory([ClientEntry("shop", "school", (ip_network("10.0.0.0/8"),))])
    assert await Login(check_secret).check(clients, Presented("shop", b"")) is None


@pytest.mark.parametrize("kinds", [("fast",), ("slow",), ("fast", "slow")])
async def test_every_failed_login_does_the_same_work(kinds: tuple[str, ...]) -> None:
    clients = directory(*kinds)
    for name in (*kinds, "unknown", ""):
        work = Counting()
        assert await Login(work).check(clients, Presented(name, b"wrong")) is None
        assert work.kinds == Counter(kinds), name


async def test_slow_hashes_run_beside_the_loop_and_successes_are_remembered() -> None:
    clients = directory("fast", "slow")
    work = Counting()
    login = Login(work)
    for _ in range(3):
        assert await login.check(clients, Presented("slow", b"chosen password"))
        assert await login.check(clients, Presented("fast", b"fast secret"))
    assert work.kinds == {"slow": 1, "fast": 3}
    assert work.threads == {("slow", False), ("fast", True)}


async def test_a_failure_is_never_remembered_and_a_new_secret_counts_at_once() -> None:
    work = Counting()
    login = Login(work)
    before = directory("slow")
    assert await login.check(before, Presented("slow", b"chosen password"))
    for _ in range(2):
        assert await login.check(before, Presented("slow", b"other")) is None
    assert work.kinds["slow"] == 3
    after = ClientDirectory([ClientEntry("slow", "school", (), PasswordHasher(1, 8, 1).hash("other"))])
    assert await login.check(after, Presented("slow", b"chosen password")) is None
    assert await login.check(after, Presented("slow", b"other"))


async def test_the_memory_of_successes_is_bounded() -> None:
    work = Counting()
    login = Login(lambda stored, presented: work(stored, b"chosen password"))  # every password is right
    clients = directory("slow")
    for number in range(300):
        await login.check(clients, Presented("slow", str(number).encode()))
    work.kinds.clear()
    await login.check(clients, Presented("slow", b"299"))
    await login.check(clients, Presented("slow", b"0"))
    assert work.kinds["slow"] == 1


def test_login_keeps_names_that_are_not_utf8_apart_from_real_ones() -> None:
    assert auth.login(b"cr\xffm", b"p").name != "crm"
