"""The desk of an organisation, put together: cases, registry, queue, exports.

what:       builds what a command or a worker needs to handle requests of people
takes→gives: settings, keys → an open `Desk`; what is done right before a case is forgotten
knows not:  what a right does, who asks
fails by:   `CredentialsError`; a registry in trouble says so when it is used (I-13)
standard:   DESIGN §3 root; I-12
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.app import compose
from gateway.app.spools import Spools
from gateway.cases.protocol import Case, CaseKind, CaseStore, Paper
from gateway.cases.sqlite import SQLiteCases, open_cases
from gateway.config.credentials import Credentials
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.registry.backend import open_registry
from gateway.registry.protocol import Act, PeopleRegistry
from gateway.rights import dossier, export
from gateway.rights.desk import Desk
from gateway.rights.effects import RightsEffects
from gateway.tenant import Tenant

_PROFILES = {CaseKind.ACCESS: export.Profile.ACCESS, CaseKind.PORTABILITY: export.Profile.PORTABILITY}


@dataclass(frozen=True, slots=True)
class Office:
    """All organisations of one gateway; each is opened by itself."""

    loaded: Loaded
    credentials: Credentials

    def cases(self, organisation: Organisation) -> SQLiteCases:
        """The organisation's cases. Raises `CredentialsError`."""
        return open_cases(
            self.loaded.gateway.state,
            organisation.name,
            self.credentials.case_keys(organisation.name),
            self.credentials.pseudonyms(organisation),
        )

    def registry(self, organisation: Organisation) -> PeopleRegistry:
        """The organisation's registry; the caller closes it. Raises `CredentialsError`."""
        gateway, keys = self.loaded.gateway, self.credentials.pseudonyms(organisation)
        return open_registry(organisation, gateway, keys)

    @asynccontextmanager
    async def desk(self, name: str, clock: Callable[[], float]) -> AsyncIterator[Desk]:
        """The desk of one organisation, closed again at the end. Raises `CredentialsError`."""
        organisation = next(o for o in self.loaded.organisations if o.name == name)
        store = self.cases(organisation)
        registry = self.registry(organisation)
        try:
            tenant = compose.tenant(organisation, self.credentials, registry)
            effects = self.effects(tenant, registry, store, clock)
            yield Desk(organisation, store, effects, clock)
        finally:
            registry.close()
            await store.close()

    async def note(self, desk: Desk, act: Act, case: Case) -> None:
        """Record a look at who asked. A look that cannot be recorded raises, and is not given."""
        if isinstance(desk.effects, RightsEffects):
            await desk.effects.registry.act(act, case.person)

    def effects(
        self, tenant: Tenant, registry: PeopleRegistry, store: CaseStore, clock: Callable[[], float]
    ) -> RightsEffects:
        """What rights do in this organisation's registry and in the spool of this gateway."""
        organisation = tenant.organisation
        queue = Spools(self.loaded, self.credentials, {organisation.name: tenant})

        async def papers(case: Case) -> tuple[Paper, ...]:
            if case.person is None:
                return ()
            sources = dossier.Sources(organisation, registry, queue.by_person, await store.cases())
            content = case.content
            found = await dossier.gather(sources, case.person, content.address, int(clock()), content.language)
            packed = export.packed(export.files(found, _PROFILES[case.kind]))
            return (Paper(f"{organisation.name}-{case.kind.value}.zip", "application/zip", packed),)

        after = organisation.rights.leaving_after.total_seconds()
        return RightsEffects(organisation, tenant.pseudonyms, registry, queue, papers, after, clock)
