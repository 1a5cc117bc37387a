"""Extensions, as Gemini CLI and Qwen Code know them: a folder with a manifest, which a link in `extensions/` makes
active.

A plugin that such a runtime would misread in places (hooks with the events of Claude Code, subagents whose front
matter it refuses, commands in Markdown with other placeholders) gets a folder of its own inside the plugin's
directory, with everything converted, and the link leads there. Its skills are then linked, one by one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...hookspecs import (
    JSON,
    Component,
    ComponentKind,
)
from .conversion import body_of, command_prompt, gemini_prompt, hook_groups, json_file, markdown, server_entry, toml
from .draft import Draft, file_stem, plain_word
from .other_extensions import OtherExtensions

_ROOT: Final = "${extensionPath}"
_HOOKS: Final = "hooks/hooks.json"


@dataclass(frozen=True, slots=True)
class ExtensionRules:
    """What differs: the manifest's file, the folder for what is converted, whether commands are TOML alone, and
    which front matter a subagent may keep (`subagent` returns it, and whether the plugin's own file will do).
    `foreign_hooks` says whether the runtime would misread a hook where it stands, `hook_root` how it writes the
    extension's folder in hooks, `with_two` what it does with two extensions of a name."""

    manifest: str
    folder: str
    toml_commands: bool
    subagent: Callable[[Component], tuple[dict[str, JSON], bool]]
    foreign_hooks: Callable[[Component], bool]
    hook_root: str = _ROOT
    with_two: str = "does not start with two"


def lay_out_extension(draft: Draft, rules: ExtensionRules) -> OtherExtensions:
    """Add the link, the manifest and what it needs; return what finds a second extension of the name."""
    hooks = draft.usable_hooks()
    if draft.has(rules.manifest):
        draft.link(f"extensions/{draft.name}")
    elif _is_clean(draft, rules):
        _write(draft, rules, hooks, "")
        draft.link(f"extensions/{draft.name}")
        _link_skills(draft, [skill for skill in draft.of(ComponentKind.SKILL) if not _in_default_folder(skill)])
    else:
        _write(draft, rules, hooks, rules.folder)
        draft.link(f"extensions/{draft.name}", rules.folder)
        _link_skills(draft, draft.of(ComponentKind.SKILL))
    return OtherExtensions(draft, rules.manifest, rules.folder, rules.with_two)


def _in_default_folder(skill: Component) -> bool:
    return posixpath.dirname(posixpath.dirname(skill.path)) == "skills"


def _link_skills(draft: Draft, skills: tuple[Component, ...] | list[Component]) -> None:
    for skill in skills:
        folder = posixpath.dirname(skill.path)
        draft.link(f"skills/{draft.name}-{posixpath.basename(folder) or draft.name}", folder)


def _is_clean(draft: Draft, rules: ExtensionRules) -> bool:
    """Return whether the runtime reads the plugin's own files rightly, so that a manifest is all that it lacks."""
    commands = draft.of(ComponentKind.COMMAND)
    hooks = draft.contents.of_kind(ComponentKind.HOOK)
    if any(rules.foreign_hooks(hook) for hook in hooks):
        return False
    if any(hook.path != _HOOKS for hook in hooks) and draft.has(_HOOKS):
        return False
    if any(not rules.subagent(subagent)[1] for subagent in draft.of(ComponentKind.SUBAGENT)):
        return False
    return rules.toml_commands or not any(_has_arguments(draft, command) for command in commands)


def _has_arguments(draft: Draft, command: Component) -> bool:
    return b"$ARGUMENTS" in (draft.read(command.path) or b"")


def _write(draft: Draft, rules: ExtensionRules, hooks: tuple[Component, ...], folder: str) -> None:
    """Add the manifest to the tree and what it names; `folder` is where, "" for the plugin's own root."""
    contents, root = draft.contents, f"{_ROOT}/.." if folder else _ROOT
    manifest: dict[str, JSON] = {"name": draft.name, "version": contents.version or "0.0.0"}
    manifest |= {"description": contents.description} if contents.description else {}
    context: list[JSON] = []
    for rule in draft.of(ComponentKind.RULE):
        if folder:
            path = f"context/{rule.path.replace('/', '-')}"
            draft.add(posixpath.join(folder, path), body_of(draft.read(rule.path) or b"").encode())
        context.append(path if folder else rule.path)
    manifest |= {"contextFileName": context} if context else {}
    servers = draft.of(ComponentKind.MCP_SERVER)
    if servers:
        manifest["mcpServers"] = {server.name: server_entry(server, root, draft.has) for server in servers}
    for command in draft.of(ComponentKind.COMMAND):
        _add_command(draft, rules, command, folder)
    for subagent in draft.of(ComponentKind.SUBAGENT):
        if folder or not subagent.path.startswith("agents/"):
            fields, body = rules.subagent(subagent)[0], body_of(draft.read(subagent.path) or b"")
            draft.add(
                posixpath.join(folder, f"agents/{plain_word(subagent.name)}.md"),
                markdown(fields, body),
            )
    native = [hook for hook in hooks if not folder and hook.path == _HOOKS]
    added = [hook for hook in hooks if hook not in native]
    if added:
        hook_root = f"{rules.hook_root}/.." if folder else rules.hook_root
        groups = hook_groups(contents, added, draft.runtime, hook_root)
        if not draft.add(posixpath.join(folder, _HOOKS), json_file({"hooks": dict(groups)})):
            for hook in added:
                draft.cannot(hook, "the plugin has a `hooks/hooks.json` that does not name it")
    draft.add(posixpath.join(folder, rules.manifest), json_file(manifest))


def _add_command(draft: Draft, rules: ExtensionRules, command: Component, folder: str) -> None:
    """Add a command in the runtime's own shape, unless the plugin's file will do."""
    stem = file_stem(command, "commands/")
    native = not folder and command.path.startswith("commands/")
    if native and (command.path.endswith(".toml") or not rules.toml_commands):
        return
    try:
        description, prompt = command_prompt(command, draft.read(command.path) or b"")
    except ValueError:
        draft.cannot(command, "its TOML cannot be read")
        return
    fields = {"description": description} if description else {}
    path = posixpath.join(folder, f"commands/{stem}.toml")
    draft.add(path, toml({**fields, "prompt": gemini_prompt(prompt)}))
