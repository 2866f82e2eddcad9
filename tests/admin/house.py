"""A house with its API, asked over HTTP without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.admin.access import Directory
from gateway.admin.access import House as Asked
from gateway.admin.api import build
from gateway.config.client_secret import new_secret
from tests.house import House, organisation

SECRET, STORED = new_secret()
MOST = 5


@dataclass
class Desk:
    """`client` asks as the crm."""

    house: House
    client: httpx.AsyncClient


def directory(house: House) -> Directory:
    asked = Asked(house.tenant.organisation, house.tenant.pseudonyms, house.registry)
    return Directory({"school": asked}, lambda _organisation, client: STORED if client == "crm" else None)


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    house = House.open(folder, organisation())
    transport = httpx.ASGITransport(build(directory(house), most=MOST, version="1"))
    headers = {"Authorization": f"Bearer crm.{SECRET}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api.example", headers=headers) as client:
        yield Desk(house, client)
    await house.close()
