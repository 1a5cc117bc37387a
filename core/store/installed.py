"""The table of installed plugins: what the service has put into each workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Delete, RowMapping, delete, insert, select

from ...hookspecs.values import JSON
from .database import Store
from .tables import installed


@dataclass(frozen=True, slots=True)
class InstalledRecord:
    """One plugin that the service has put into a workspace. `origin` is its source without the ref, if it is known.

    `footprints` belong to the installed version and to the versions before it that have not been cleaned up, newest
    first: the runtime's adaptor may have left files of an older version in place.
    `verified` is False if the target was not read back. `installed_at` is in seconds since 1970. `adapters` are
    paths below the plugin's root; None in rows of the first release. `contents` is what the formats read,
    `activation` what was done beside the plugin's directory, `layout` how the plugin was laid out; None in rows of
    older versions.
    """

    workspace: str
    name: str
    source: str
    origin: str | None
    digest: str
    revision: str | None
    version: str | None
    manifest: Mapping[str, JSON]
    footprints: tuple[JSON, ...]
    verified: bool
    supported: bool
    adapters: tuple[str, ...] | None
    installed_at: float
    contents: Mapping[str, JSON] | None = None
    activation: Mapping[str, JSON] | None = None
    layout: str | None = None


class InstalledPlugins(Store):
    """Reads and writes the records of installed plugins."""

    async def of_workspace(self, workspace_id: str) -> dict[str, InstalledRecord]:
        """Return every record of the workspace, keyed and ordered by the plugin's name."""
        query = select(installed).where(installed.c.workspace == workspace_id).order_by(installed.c.name)
        return {row["name"]: _record(row) for row in await self._database.fetch(query)}

    async def digests(self) -> set[str]:
        """Return the digests of all installed plugins of all workspaces."""
        return {row["digest"] for row in await self._database.fetch(select(installed.c.digest).distinct())}

    async def put(self, record: InstalledRecord) -> None:
        """Write the record, in place of an earlier one of this workspace and name. May be repeated."""
        values = {column: getattr(record, column) for column in installed.c.keys()}  # noqa: SIM118
        values |= {"manifest": dict(record.manifest), "footprints": list(record.footprints)}
        await self._database.execute(_delete(record.workspace, record.name), insert(installed).values(values))

    async def remove(self, workspace_id: str, name: str) -> None:
        """Delete the record, if there is one."""
        await self._database.execute(_delete(workspace_id, name))


def _record(row: RowMapping) -> InstalledRecord:
    adapters = None if row["adapters"] is None else tuple(row["adapters"])
    return InstalledRecord(**{**row, "footprints": tuple(row["footprints"]), "adapters": adapters})


def _delete(workspace_id: str, name: str) -> Delete:
    return delete(installed).where(installed.c.workspace == workspace_id, installed.c.name == name)
