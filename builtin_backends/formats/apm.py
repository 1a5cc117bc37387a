"""The format `apm`: packages of Microsoft's Agent Package Manager, with `apm.yml`, read without running apm."""

from __future__ import annotations

from collections.abc import Mapping

from ...hookspecs import JSON, Contents, PluginTree, Severity, hookimpl
from .contents import contents_of
from .fields import Fields, read_fields, value_at
from .hook_files import add_hooks_of_file
from .markdown_parts import add_commands, add_rules, add_subagents, markdown_below
from .marks import APM
from .mcp_servers import add_servers
from .plugin_parts import CLAUDE_WAYS, add_parts, note_unlisted_skills
from .skill_files import add_skills, skills_in
from .tree_reader import Document, Reading

_FOLDERS = ("skills", "instructions", "agents", "chatmodes", "prompts", "hooks", "context", "memory")


class ApmFormat:
    """Reads apm packages: the parts below `.apm/`, or a Claude layout beside `apm.yml`."""

    format = "apm"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the package has, None if the tree is none."""
        reading = Reading(tree)
        if APM not in tree and not any(reading.has_folder(f".apm/{folder}") for folder in _FOLDERS):
            return None
        document = reading.yaml(APM) if APM in tree else None
        fields = Fields()
        if document is not None:
            fields = read_fields(reading, document, versions_may_be_numbers=True)
            _check(reading, document)
            _add_declared_servers(reading, document)
        if reading.has_folder(".apm"):
            _add_package(reading)
        add_parts(reading, [], CLAUDE_WAYS)
        note_unlisted_skills(reading)
        return contents_of("apm", reading, fields, manifest=document.value if document else None)


def _add_package(reading: Reading) -> None:
    add_skills(reading, skills_in(reading, ".apm/skills"))
    instructions = ".apm/instructions"
    add_rules(reading, markdown_below(reading, instructions))
    for folder, ending in ((".apm/agents", ".agent.md"), (".apm/chatmodes", ".chatmode.md")):
        add_subagents(reading, markdown_below(reading, folder, endings=(ending, ".md")))
    add_commands(reading, markdown_below(reading, ".apm/prompts"), ".apm/prompts")
    for path in reading.below(".apm/hooks"):
        if path.endswith(".json"):
            add_hooks_of_file(reading, path)


def _check(reading: Reading, document: Document) -> None:
    for key in ("name", "version"):
        if document.value.get(key) is None:
            reading.error(f"{key}-missing", APM, f"the manifest has no `{key}`", document.place())
    dependencies = document.value.get("dependencies")
    if dependencies is None:
        return
    if not isinstance(dependencies, Mapping):
        reading.error("wrong-type", APM, "`dependencies` must be a mapping", document.place(("dependencies",)))
        return
    packages = dependencies.get("apm")
    if packages is not None and not isinstance(packages, list):
        reading.error("wrong-type", APM, "`dependencies.apm` must be a list", document.place(("dependencies", "apm")))
    elif packages:
        message = "plugport does not install dependencies: install them before this plugin"
        reading.note("dependencies", Severity.NOTE, APM, message, document.place(("dependencies", "apm")))
        name = document.value.get("name")
        for index, package in enumerate(packages):
            if isinstance(package, str) and isinstance(name, str) and package in {name, "./", ".", f"../{name}"}:
                message = "the package depends on itself"
                reading.error("dependency-cycle", APM, message, document.place(("dependencies", "apm", index)))


def _add_declared_servers(reading: Reading, document: Document) -> None:
    """Add the MCP servers that stand in `dependencies.mcp` with a command or a URL; the others are in a registry."""
    servers = value_at(document.value, ("dependencies", "mcp"))
    if servers is None:
        return
    if not isinstance(servers, list):
        reading.error("wrong-type", APM, "`dependencies.mcp` must be a list", document.place(("dependencies", "mcp")))
        return
    for index, server in enumerate(servers):
        keys = ("dependencies", "mcp", index)
        name = server.get("name") if isinstance(server, Mapping) else server
        if not isinstance(name, str):
            reading.error(
                "wrong-type", APM, "an MCP server must be a name, or a mapping with a `name`", document.place(keys)
            )
        elif isinstance(server, Mapping) and ("command" in server or "url" in server):
            entry: dict[str, JSON] = {key: value for key, value in server.items() if key not in {"name", "registry"}}
            if "type" not in entry and isinstance(entry.get("transport"), str):
                entry["type"] = entry.pop("transport")
            moved = Document(document.file, {name: entry}, document.parsed)
            add_servers(reading, moved, ())
        else:
            message = f"the MCP server {name[:60]!r} comes from a registry: plugport does not look it up"
            reading.warn("mcp-registry", APM, message, document.place(keys))


provider = ApmFormat()
