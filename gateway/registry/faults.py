"""Everything that can go wrong below a registry, as one of the two errors of its protocol.

what:       one context manager
takes→gives: errors of SQLite, journal and disk → `RegistryUnavailable` or `RegistryMistrusted`
knows not:  what was being done
fails by:   only those two; other exceptions pass as they are
standard:   I-3, I-13
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.registry.protocol import RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import JournalDamaged
from gateway.registry.schema import SchemaTooNew
from gateway.registry.state import Unreadable


@contextmanager
def as_registry_errors() -> Iterator[None]:
    """Trouble that passes is unavailable; content that is not what it should be is mistrusted."""
    try:
        yield
    except (JournalDamaged, Unreadable) as error:
        raise RegistryMistrusted(str(error)) from error
    except SchemaTooNew as error:
        raise RegistryUnavailable(str(error)) from error
    except sqlite3.OperationalError as error:
        raise RegistryUnavailable(f"registry: {error}") from error
    except sqlite3.DatabaseError as error:
        raise RegistryMistrusted(f"registry: {error}") from error
    except OSError as error:
        raise RegistryUnavailable(f"registry or journal: {error.strerror or error}") from error
