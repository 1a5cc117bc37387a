"""What the handlers of the API are given. `create_app` makes it once, and it lives as long as the application."""

from __future__ import annotations

from dataclasses import dataclass

from .auth import Authenticator
from .catalog_contents import CatalogContents
from .dispatcher import Dispatcher
from .operations.runner import Operations
from .pipeline.admission import AdmissionChecks
from .pipeline.cache import ArchiveCache
from .pipeline.fetch import Fetcher
from .pipeline.record import Recorder
from .settings import Settings
from .store.allowlists import Allowlists
from .store.audit import Audit
from .store.database import Database
from .store.installed import InstalledPlugins
from .store.tokens import Tokens
from .store.workspaces import Workspaces
from .telemetry import Metrics
from .workspace_resolver import WorkspaceResolver


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the application. `workspaces` are the registered ones; `resolver` also asks the providers."""

    settings: Settings
    database: Database
    dispatcher: Dispatcher
    workspaces: Workspaces
    resolver: WorkspaceResolver
    tokens: Tokens
    allowlists: Allowlists
    authenticator: Authenticator
    admission: AdmissionChecks
    fetcher: Fetcher
    cache: ArchiveCache
    catalog_contents: CatalogContents
    recorder: Recorder
    installed: InstalledPlugins
    audit: Audit
    operations: Operations
    metrics: Metrics
