"""Writes docs/runtimes/: a page for each runtime, and the matrix of formats and runtimes.

A program: `python tests/project/runtime_pages.py`. The pages are made from the tables of the layouts, from what the
layouts answer, and from the recorded runs of tests/runtimes (docs/runtimes/runs.json; `PLUGPORT_RECORD_AGENTS=1`
records them). A test holds the committed pages against what it would write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from plugport.builtin_backends.layouts import (
    agents,
    claude_code,
    codex,
    copilot,
    gemini_cli,
    hermes,
    opencode,
    qwen_code,
)
from plugport.builtin_backends.layouts.notes import NOTES
from plugport.builtin_backends.layouts.runtime import Runtime
from plugport.builtin_backends.layouts.tables import RUNTIMES
from plugport.core.dispatcher import FORMATS
from plugport.hookspecs import Activation, Component, ComponentKind, Contents, LayoutTarget
from plugport.hookspecs.values import BundleFile

ROOT = Path(__file__).resolve().parents[2]
_MADE = "<!-- written by tests/project/runtime_pages.py: change the code, then run it -->\n"
_LAYOUTS = {
    module.provider.layouts[0]: module.provider
    for module in (agents, claude_code, codex, copilot, gemini_cli, hermes, opencode, qwen_code)
}
_SAMPLE = Contents(
    "skills",
    "demo",
    components=(
        Component(ComponentKind.SKILL, "hello", "skills/hello/SKILL.md"),
        Component(ComponentKind.HOOK, "Stop", "h.json", data={"event": "Stop", "type": "command", "command": "true"}),
        Component(ComponentKind.MCP_SERVER, "echo", "m.json", data={"command": "true"}),
    ),
)
_INTRO = """\
# Runtimes

A workspace's layout says how a plugin becomes active in its runtime: `layout` of the workspace, or
`PLUGPORT_LAYOUTS`. The config dir of a workspace under such a layout is the agent's own folder. The layout `adaptor`
(the default) leaves everything to the runtime's own adaptor; no agent is asked then.
[What a plugin is](../explanation/plugins.md) says why each agent needs a layout of its own.

{pages}

## Formats and runtimes

What the agent itself saw of a plugin that has everything its format can say: `tests/runtimes` delivers it with a
running service and asks the agent, against a model on this machine. Every part that a format has and that is missing
in a cell is one that the runtime cannot use: the answer of the install names it under `unsupported`. "(trust)" is
what an agent uses once somebody trusted it: `needs_grant` names it.

{matrix}

{runs}
"""
_SKILL_WORDS: Mapping[str, str] = {
    "front-matter": "without a front matter",
    "description": "without a description",
    "name": "without a name",
    "bom": "with a byte order mark",
    "colon": "whose description has a colon and a space, unquoted",
    "tab": "with a tab in the front matter",
    "twice": "with a key twice",
    "list": "whose description is a list",
    "space": "with a space in its name",
    "non-ascii": "with a letter outside ASCII in its name",
    "latin-1": "that is not UTF-8",
}


def runs() -> dict[str, Any]:
    """Return what the agents saw, by runtime."""
    recorded: dict[str, Any] = json.loads((ROOT / "docs/runtimes/runs.json").read_text("utf-8"))
    return recorded


def matrix() -> str:
    """docs/runtimes/README.md."""
    recorded = runs()
    pages = "\n".join(f"- [{runtime.title}]({runtime.name}.md): the layout `{runtime.name}`" for runtime in RUNTIMES)
    agents = [runtime for runtime in RUNTIMES if runtime.name != "agents"]
    lines = ["| format | " + " | ".join(runtime.title for runtime in agents) + " |", "|---" * (len(agents) + 1) + "|"]
    for fmt in FORMATS:
        cells = [_cell(recorded.get(runtime.name, {}).get("formats", {}).get(fmt)) for runtime in agents]
        lines.append(f"| `{fmt}` | " + " | ".join(cells) + " |")
    ran = [
        f"- {runtime.title} {run['version']}, {run['date']}"
        for runtime in agents
        if (run := recorded.get(runtime.name)) is not None
    ]
    made = _INTRO.format(pages=pages, matrix="\n".join(lines), runs="Runs:\n\n" + "\n".join(ran))
    text = "The layout `agents` has no agent of its own, and is untested with one: it makes links to skills alone."
    return f"{_MADE}\n{made}\n{text}\n"


def _cell(parts: Mapping[str, str] | None) -> str:
    if parts is None:
        return "untested"
    seen = [
        f"{kind} (trust)" if "trusted" in word else kind for kind, word in parts.items() if word.startswith("seen")
    ]
    return ", ".join([*seen, *(f"**{kind} not seen**" for kind, word in parts.items() if word == "not seen")])


def page(runtime: Runtime) -> str:
    """Return the page of one runtime."""
    sections = [_MADE, f"# {runtime.title}\n", *_verified(runtime), *_places(runtime), *_effect(runtime)]
    sections += [*_trust(runtime), *_limits(runtime), *_events(runtime), "## Good to know\n"]
    sections += [*(f"- {note}" for note in NOTES[runtime.name]), ""]
    return "\n".join(sections)


def _verified(runtime: Runtime) -> Iterator[str]:
    yield f"The layout `{runtime.name}`. Its config dir is the agent's folder: `{runtime.folder}`" + (
        "." if runtime.name == "agents" else f", which `{runtime.moved_by}` moves."
    )
    run = runs().get(runtime.name)
    if run is None:
        yield "No agent was run with it.\n"
        return
    yield (
        f"Verified with version {run['version']} on {run['date']}: plugins of {len(run['formats'])} formats were "
        "delivered by a running service, and the agent itself was asked what it sees ([matrix](README.md))."
    )
    if run.get("lifecycle"):
        yield (
            "It saw exactly what it should after an install, after an update with a removed command and a changed "
            "hook, and after the uninstall; then the home was as before, byte for byte, beside a person's own "
            "settings, but for what a control run of the agent without the plugin changes, too."
        )
    yield f"`PLUGPORT_TEST_AGENTS={runtime.name} pytest tests/runtimes` repeats all of it.\n"


def _places(runtime: Runtime) -> Iterator[str]:
    yield "## Where each part goes\n"
    yield "| part | |"
    yield "|---|---|"
    for kind in ComponentKind:
        if kind in runtime.places:
            yield f"| {kind.value} | {runtime.places[kind]} |"
        elif kind in runtime.missing:
            yield f"| {kind.value} | not supported: {runtime.missing[kind]} |"
    yield ""


def _effect(runtime: Runtime) -> Iterator[str]:
    question = _activation(runtime).question
    yield "## When it takes effect\n"
    yield f"{runtime.reload[0].upper()}{runtime.reload[1:]}. `takes_effect` is `{runtime.effect.value}`" + (
        ", and an install restarts the workspace unless it is told not to.\n"
        if runtime.restarts
        else "; no restart.\n"
    )
    if question is not None:
        yield f"After an install the agent is asked with `{' '.join(question.command)}`.\n"


def _trust(runtime: Runtime) -> Iterator[str]:
    grants = _activation(runtime).grants
    if grants:
        yield "## Trust\n"
        for grant in grants:
            places = sorted({entry.path for entry in grant.entries} | {file.path for file in grant.files})
            where = f" Granted in `{'`, `'.join(places)}`." if places else ""
            yield f"- `{grant.name}`: {grant.why}{where}"
        yield ""


def _limits(runtime: Runtime) -> Iterator[str]:
    yield "## Limits\n"
    names, skills = runtime.names, runtime.skills
    reserved = f" It uses these itself: {', '.join(f'`{name}`' for name in sorted(names.reserved))}." * bool(
        names.reserved
    )
    yield f"- A plugin's name: {names.rule}.{reserved}"
    words = [_SKILL_WORDS[word] for word in _SKILL_WORDS if word in skills.needs | skills.refuses]
    words += [f"whose name has more than {skills.longest_name} characters"] * bool(skills.longest_name)
    words += [f"whose description has more than {skills.longest_description}"] * bool(skills.longest_description)
    if words:
        yield f"- It passes a skill over {'; '.join(words)}."
    if skills.cut_at:
        yield f"- It cuts a skill's description after {skills.cut_at} characters."
    yield ""


def _events(runtime: Runtime) -> Iterator[str]:
    if runtime.events:
        yield "## Events of hooks\n"
        same = [f"`{event}`" for event, own in runtime.events.items() if event == own]
        if same:
            yield f"{', '.join(same)}.\n"
        renamed = {event: own for event, own in runtime.events.items() if event != own}
        if renamed:
            yield "| Claude Code's name | here |"
            yield "|---|---|"
            yield from (f"| `{event}` | `{own}` |" for event, own in renamed.items())
            yield ""


def _activation(runtime: Runtime) -> Activation:
    file = BundleFile("skills/hello/SKILL.md", 0, False, "0" * 64)
    target = LayoutTarget("demo", "sha256:" + "0" * 64, runtime.name, files=(file,), chunks=lambda path: iter([b""]))
    answer: Activation = _LAYOUTS[runtime.name].lay_out(_SAMPLE, target)
    return answer


def _page_of(runtime: Runtime) -> Callable[[], str]:
    return lambda: page(runtime)


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/runtimes/README.md": matrix,
    **{f"docs/runtimes/{runtime.name}.md": _page_of(runtime) for runtime in RUNTIMES},
}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (ROOT / name).write_text(write(), "utf-8")
