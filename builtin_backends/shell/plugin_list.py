"""Lists the plugins of a target with a shell, in one round trip."""

from __future__ import annotations

from ...hookspecs import InstalledPlugin, tree_digest
from .channel import Channel
from .failure import script_failure
from .frame import run_framed
from .script import script_command
from .script_output import Fields, HashedFile, decode, printable, tar_files

MAX_MANIFEST = 256 * 1024


async def list_installed(channel: Channel, config_dir: str) -> list[InstalledPlugin]:
    """Return every plugin below `<config_dir>/plugins`, by name, with its files' digest and its manifest's text.

    The digest of a plugin with a file or folder that cannot be read is None. A name that is not UTF-8 or has control
    characters is escaped. May be repeated. Raises `DeliveryFailed`, `BackendUnavailable`, `UnsupportedTarget`, and
    what the channel raises.
    """
    completed = await run_framed(channel, script_command("list", config_dir), repeatable=True)
    if completed.exit_code != 0:
        raise await script_failure(channel, config_dir, "list", completed)
    fields = Fields(completed.stdout)
    if fields.at_end():
        return []
    files: dict[str, list[HashedFile]] = {folder: [] for folder in _folders(fields)}
    for path, sha256 in fields.hashed_files():
        plugin, _, inside = path.removeprefix("./").partition("/")
        files.setdefault(plugin, []).append(HashedFile(inside.lstrip("/"), sha256))
    unreadable = set(_folders(fields))
    texts = {
        path.partition("/")[0]: content.decode("utf-8", "replace")
        for path, content in tar_files(fields.rest())
        if len(content) <= MAX_MANIFEST
    }
    return [
        InstalledPlugin(printable(name), None if name in unreadable else tree_digest(hashed), texts.get(name))
        for name, hashed in sorted(files.items())
    ]


def _folders(fields: Fields) -> list[str]:
    return [decode(folder).removeprefix("./").rstrip("/") for folder in fields.until_empty()]
