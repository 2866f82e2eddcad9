"""Certificates and a running ingress for the tests of this room."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.ingress.setting import Certificates, Site, make_certificates, running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture
async def site(certificates: Certificates) -> AsyncIterator[Site]:
    async with running(certificates) as site:
        yield site
