"""The registry of an organisation, kept where the settings say: SQLite on this machine, or Redis.

what:       opening, making and accepting one, whichever backend it is
takes→gives: organisation, `Gateway`, pseudonym keys → `PeopleRegistry`
knows not:  what is asked of it
fails by:   opening never raises: what is wrong is in `trouble()`; making: `RegistryExists`, `RegistryUnavailable`
standard:   DESIGN §4 People, Redis; I-12, I-13
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.pseudonym import Pseudonyms
from gateway.registry import adopting, opening, sqlite
from gateway.registry.opening import Owner
from gateway.registry.places import Places, places
from gateway.registry.protocol import Act, PeopleRegistry

if TYPE_CHECKING:
    from gateway.registry.redis_registry import RedisRegistry

_T = TypeVar("_T")
Seen = Callable[[float], None]


def open_registry(
    organisation: Organisation,
    gateway: Gateway,
    pseudonyms: Pseudonyms,
    seen: Seen | None = None,
) -> PeopleRegistry:
    """The organisation's registry; never creates one, never raises, and opens by itself as soon as it can.

    `seen` is told, for each web opt-out, the seconds from its own time to its first sight here.
    """
    if gateway.registry.backend == "redis":
        return open_shared(organisation, gateway, pseudonyms, seen)
    return sqlite.open_registry(organisation, gateway.state, pseudonyms, seen, web=gateway.web_folder)


def open_shared(
    organisation: Organisation,
    gateway: Gateway,
    pseudonyms: Pseudonyms,
    seen: Seen | None = None,
    *,
    where: Places | None = None,
) -> RedisRegistry:
    """As `open_registry`, where it is known to be in Redis. `where`: another node's files than the usual ones."""
    # Loaded only where it is used: the client would cost every process start a tenth of its time.
    from gateway.registry.redis_primary import Reach
    from gateway.registry.redis_registry import RedisRegistry

    reach, why = Reach.of(organisation.name, gateway)
    owner = Owner(organisation.id, pseudonyms)
    return RedisRegistry(reach, where or places_of(organisation, gateway), owner, seen, why)


def init_registry(organisation: Organisation, gateway: Gateway, pseudonyms: Pseudonyms) -> None:
    """Make a registry with its block journal and node file. Raises `RegistryExists` where any of them is there."""
    if gateway.registry.backend == "redis":
        return _at_once(organisation, gateway, pseudonyms, lambda registry: registry.init())
    return opening.init(places_of(organisation, gateway), Owner(organisation.id, pseudonyms))


def adopt_registry(organisation: Organisation, gateway: Gateway, pseudonyms: Pseudonyms, act: Act) -> list[str]:
    """Accept what is there, or join it as one more node. Gives what was done, in words."""
    if gateway.registry.backend == "redis":
        return _at_once(organisation, gateway, pseudonyms, lambda registry: registry.adopt(act))
    return adopting.adopt(places_of(organisation, gateway), Owner(organisation.id, pseudonyms), act)


def _at_once(
    organisation: Organisation,
    gateway: Gateway,
    pseudonyms: Pseudonyms,
    act: Callable[[RedisRegistry], Coroutine[Any, Any, _T]],
) -> _T:
    registry = open_shared(organisation, gateway, pseudonyms)
    try:
        return asyncio.run(act(registry))
    finally:
        registry.close()


def places_of(organisation: Organisation, gateway: Gateway) -> Places:
    """The organisation's files on this node."""
    return places(gateway.state, organisation.name, gateway.web_folder)
