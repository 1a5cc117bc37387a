"""Lists the plugins of a target with a shell, in one round trip."""

from __future__ import annotations

from ...hookspecs import InstalledPlugin, tree_digest
from .channel import Channel
from .script import script_command, script_error
from .script_output import HashedFile, hash_lines, tar_files

MAX_MANIFEST = 256 * 1024


async def list_installed(channel: Channel, config_dir: str) -> list[InstalledPlugin]:
    """Return every plugin below `<config_dir>/plugins`, by name, with its files' digest and its manifest's text.

    May be repeated. Raises `DeliveryFailed`, `BackendUnavailable`, `UnsupportedTarget`, and what the channel raises.
    """
    completed = await channel.run(script_command("list", config_dir))
    if completed.exit_code != 0:
        raise script_error("list", completed)
    names, _, rest = completed.stdout.partition(b"--files--\n")
    lines, _, manifests = rest.partition(b"--manifests--\n")
    files: dict[str, list[HashedFile]] = {_plugin_name(line): [] for line in names.split(b"\n") if line}
    for path, sha256 in hash_lines(lines):
        plugin, _, inside = path.removeprefix("./").partition("/")
        files.setdefault(plugin, []).append(HashedFile(inside.lstrip("/"), sha256))
    texts = {
        path.partition("/")[0]: content.decode("utf-8", "replace")
        for path, content in tar_files(manifests)
        if len(content) <= MAX_MANIFEST
    }
    return [InstalledPlugin(name, tree_digest(hashed), texts.get(name)) for name, hashed in sorted(files.items())]


def _plugin_name(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").removeprefix("./").rstrip("/")
