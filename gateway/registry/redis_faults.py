"""Everything that can go wrong with Redis, as one of the two errors of the registry's protocol.

what:       one context manager
takes→gives: errors of redis-py and of the network → `RegistryUnavailable`, or `RegistryMistrusted` for foreign content
knows not:  what was being done
fails by:   only those two, and `Uncertain` for an answer that did not come; other exceptions pass as they are
standard:   I-3, I-13
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from gateway.registry.protocol import RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import JournalDamaged
from gateway.registry.state import Unreadable

# First words of an error and what they mean; the text of Redis itself may hold keys and is never passed on.
_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.BusyLoadingError, "Redis is still loading its data (LOADING)"),
    (exceptions.ReadOnlyError, "this Redis is a replica and takes no writes (READONLY)"),
    (exceptions.OutOfMemoryError, "Redis is out of memory (OOM)"),
    (exceptions.NoPermissionError, "the ACL user may not do this: docs/redis.md has the line it needs (NOPERM)"),
    (exceptions.AuthenticationError, "Redis refused the user or the password"),
    (exceptions.AuthenticationWrongNumberOfArgsError, "Redis refused the user or the password"),
    (exceptions.MovedError, "the organisation's slot moved to another node of the Cluster (MOVED)"),
    (exceptions.AskError, "the organisation's slot is being moved (ASK)"),
    (exceptions.TryAgainError, "the organisation's slot is being moved (TRYAGAIN)"),
    (exceptions.MasterDownError, "this Redis is a replica without its primary (MASTERDOWN)"),
    (exceptions.ClusterDownError, "the Redis Cluster is down (CLUSTERDOWN)"),
)
_PREFIXES = {
    "NOREPLICAS": "too few replicas are connected for Redis to take writes (NOREPLICAS)",
    "MISCONF": "Redis cannot write to its disk (MISCONF)",
}


class Uncertain(RegistryUnavailable):
    """The connection broke before the answer came: what was asked may have been done."""


@contextmanager
def as_registry_errors() -> Iterator[None]:
    """Trouble that passes is unavailable; content that is not what it should be is mistrusted."""
    try:
        yield
    except (JournalDamaged, Unreadable) as error:
        raise RegistryMistrusted(str(error)) from error
    except exceptions.RedisError as error:
        raise meaning(error) from error
    except OSError as error:
        raise Uncertain(f"Redis or journal: {error.strerror or type(error).__name__}") from error


def meaning(error: exceptions.RedisError) -> RegistryUnavailable:
    """The registry's error for one of Redis."""
    for kind, text in _MEANINGS:
        if isinstance(error, kind):
            return RegistryUnavailable(text)
    if isinstance(error, exceptions.TimeoutError | exceptions.ConnectionError):
        return Uncertain(f"Redis cannot be reached or did not answer in time ({type(error).__name__})")
    word = str(error).partition(" ")[0]
    if word == "WRONGTYPE":
        return RegistryMistrusted("a key of this organisation in Redis holds something else (WRONGTYPE)")
    return RegistryUnavailable(_PREFIXES.get(word, f"Redis: {type(error).__name__} {word[:20]}"))
