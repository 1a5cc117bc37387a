"""What several layouts do in the same way: manifests, links to skills, commands in Markdown, rules as one text."""

from __future__ import annotations

import posixpath

from ...hookspecs import JSON, Component, ComponentKind, MemoryText, Severity
from .conversion import body_of, command_prompt, markdown
from .draft import Draft, file_stem


def link_skills(draft: Draft, name: str) -> None:
    """Link the plugin's folder of skills as `skills/<name>`, for a runtime that looks deeper.

    If a skill lies elsewhere, each is linked.
    """
    skills = draft.of(ComponentKind.SKILL)
    if skills and all(skill.path.startswith("skills/") for skill in skills):
        draft.link(f"skills/{name}", "skills")
    else:
        for skill in skills:
            folder = posixpath.dirname(skill.path)
            draft.link(f"skills/{name}-{posixpath.basename(folder) or draft.name}", folder)


def rules_text(draft: Draft) -> str:
    """Return the plugin's rules as one text, "" if it has none."""
    bodies = []
    for rule in draft.of(ComponentKind.RULE):
        body = body_of(draft.read(rule.path) or b"").strip()
        if rule.data.get("paths"):
            message = f"{draft.runtime.title} applies this rule everywhere: it does not know `paths`"
            draft.note("rule-paths", Severity.WARNING, rule.path, message)
        if body:
            bodies.append(body)
    return "\n\n".join(bodies) + "\n" if bodies else ""


def memory_text(draft: Draft, path: str) -> list[MemoryText]:
    """Return the rules as a text for the memory file at `path`."""
    text = rules_text(draft)
    return [MemoryText(path, text)] if text else []


def basic_manifest(draft: Draft) -> dict[str, JSON]:
    """Return what every manifest says of a plugin: its name on the target, version, description and author."""
    contents = draft.contents
    manifest: dict[str, JSON] = {"name": draft.name}
    manifest |= {"version": contents.version} if contents.version else {}
    manifest |= {"description": contents.description} if contents.description else {}
    manifest |= {"author": {"name": contents.author}} if contents.author else {}
    return manifest


def markdown_path(draft: Draft, component: Component, folder: str) -> str:
    """Return the path of a command's or subagent's Markdown file. One in TOML is converted, and added to the tree."""
    if not component.path.endswith(".toml"):
        return component.path
    path = f"{folder}/{file_stem(component, 'commands/')}.md"
    try:
        description, prompt = command_prompt(component, draft.read(component.path) or b"")
    except ValueError:
        draft.cannot(component, "its TOML cannot be read")
        return path
    draft.add(path, markdown({"description": description} if description else {}, prompt))
    return path


def starts_in_folder(server: Component) -> bool:
    """Return whether an MCP server starts from the plugin's folder, as Codex does it; others start it elsewhere."""
    arguments = server.data.get("args")
    texts = [server.data.get("command"), server.data.get("cwd"), *(arguments if isinstance(arguments, list) else [])]
    return any(isinstance(text, str) and (text == "." or text.startswith("./")) for text in texts)
