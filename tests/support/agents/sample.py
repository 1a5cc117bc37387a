"""A plugin with all six parts, in each format that can say so: every part carries a word that proves it was seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

SKILL, RULE, COMMAND, BYE, SUBAGENT, HOOK, SERVER = (
    "skillmark",
    "rulemark",
    "greetmark",
    "byemark",
    "agentmark",
    "hookmark",
    "toolmark",
)
FIRST, SECOND = "one", "two"

_SERVER = """\
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    result = {}
    if request["method"] == "initialize":
        version = request["params"]["protocolVersion"]
        info = {"name": "echo", "version": "1"}
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
    elif request["method"] == "tools/list":
        schema = {"type": "object", "properties": {}}
        result = {"tools": [{"name": "toolmark", "description": "toolmark", "inputSchema": schema}]}
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
"""
_TEXT = "A text that is long enough for everybody."


def _parts(version: str, seen: Path, root: str) -> dict[str, object]:
    """The parts that are not files of their own: hooks and servers."""
    hook = {"type": "command", "command": f'sh "{root}/hooks/run.sh"'}
    return {
        "hooks": {"SessionStart": [{"hooks": [hook]}]},
        "mcpServers": {"echo": {"command": "python3", "args": [f"{root}/server.py"]}},
    }


def plugin(fmt: str, seen: Path, version: str = FIRST) -> dict[str, str]:
    """Return the files of the plugin `demo`. The hook writes into the file `seen`.

    The second version has another skill, another rule and another hook, and lacks the command `greet`.
    """
    root = {"gemini": "${extensionPath}", "plugport": "${CLAUDE_DIR}"}.get(fmt, "${CLAUDE_PLUGIN_ROOT}")
    parts = _parts(version, seen, root)
    number = "1.0.0" if version == FIRST else "2.0.0"
    named = {"name": "demo", "version": number, "description": "A demo."}
    files = {
        "skills/hello/SKILL.md": f"---\nname: hello\ndescription: Says {SKILL}{version}.\n---\n\n{_TEXT}\n",
        "rules/style.md": f"The rule is {RULE}{version}.\n",
        "commands/bye.md": f"---\ndescription: Says {BYE}.\n---\n\nSay {BYE} to $ARGUMENTS.\n",
        "agents/helper.md": (
            f"---\nname: helper\ndescription: Helps with {SUBAGENT}.\ntools: Read, Bash\ncolor: red\n---\n\n{_TEXT}\n"
        ),
        "hooks/run.sh": f"echo {HOOK}{version} >> '{seen}'\n",
        "server.py": _SERVER,
    }
    if version == FIRST:
        files["commands/greet.md"] = f"---\ndescription: Says {COMMAND}.\n---\n\nSay {COMMAND} to $ARGUMENTS.\n"
    return _FORMATS[fmt](files, named, parts)


Files = dict[str, str]
Parts = Mapping[str, object]


def _claude(files: Files, named: Parts, parts: Parts) -> Files:
    return files | {
        ".claude-plugin/plugin.json": json.dumps(named),
        "hooks/hooks.json": json.dumps({"hooks": parts["hooks"]}),
        ".mcp.json": json.dumps({"mcpServers": parts["mcpServers"]}),
    }


def _codex(files: Files, named: Parts, parts: Parts) -> Files:
    made = _claude(files, named, parts)
    made[".codex-plugin/plugin.json"] = made.pop(".claude-plugin/plugin.json")
    servers = {"echo": {"command": "python3", "args": ["./server.py"], "cwd": "."}}
    made[".mcp.json"] = json.dumps({"mcpServers": servers})
    return made


def _plugport(files: Files, named: Parts, parts: Parts) -> Files:
    command = str(parts).partition('sh "')[2].partition('"')[0]
    assert command
    servers = {"echo": {"command": "python3", "args": ["${CLAUDE_PLUGIN_ROOT}/server.py"]}}
    fragment = {"hooks": parts["hooks"], "mcpServers": servers}
    manifest = "".join(f"{key}: {json.dumps(value)}\n" for key, value in named.items())
    hooks = json.loads(json.dumps(fragment).replace("${CLAUDE_DIR}/hooks", "${CLAUDE_DIR}/hooks"))
    return files | {"plugin.yaml": manifest, "settings-fragment.json": json.dumps(hooks)}


def _gemini(files: Files, named: Parts, parts: Parts) -> Files:
    commands = {path: text for path, text in files.items() if path.startswith("commands/")}
    made = {path: text for path, text in files.items() if path not in commands}
    for path in commands:
        word = COMMAND if "greet" in path else BYE
        made[path.replace(".md", ".toml")] = f'description = "Says {word}."\nprompt = "Say {word} to {{{{args}}}}."\n'
    made["agents/helper.md"] = f"---\nname: helper\ndescription: Helps with {SUBAGENT}.\n---\n\n{_TEXT}\n"
    manifest = {**named, "contextFileName": ["rules/style.md"], "mcpServers": parts["mcpServers"]}
    return made | {
        "gemini-extension.json": json.dumps(manifest),
        "hooks/hooks.json": json.dumps({"hooks": parts["hooks"]}),
    }


def _qwen(files: Files, named: Parts, parts: Parts) -> Files:
    made = {path: text.replace("$ARGUMENTS", "{{args}}") for path, text in files.items()}
    manifest = {**named, "contextFileName": ["rules/style.md"], "mcpServers": parts["mcpServers"]}
    return made | {
        "qwen-extension.json": json.dumps(manifest),
        "hooks/hooks.json": json.dumps({"hooks": parts["hooks"]}),
    }


def _agent_plugins(files: Files, named: Parts, parts: Parts) -> Files:
    base = "https://agent-plugins.org/schemas/1.0.0"
    servers = {
        "echo": {"type": "stdio", "command": "python3", "args": ["${PLUGIN_ROOT}/server.py"]},
    }
    kept = {path: text for path, text in files.items() if path.startswith(("skills/", "server"))}
    return kept | {
        "plugin.json": json.dumps({"$schema": f"{base}/plugin.schema.json", **named}),
        "mcp.json": json.dumps({"$schema": f"{base}/mcp.schema.json", "mcpServers": servers}),
    }


def _apm(files: Files, named: Parts, parts: Parts) -> Files:
    places = {"skills/hello/SKILL.md": ".apm/skills/hello/SKILL.md", "server.py": "server.py"}
    places |= {"rules/style.md": ".apm/instructions/style.instructions.md", "hooks/run.sh": "hooks/run.sh"}
    places |= {"agents/helper.md": ".apm/agents/helper.agent.md"}
    places |= {f"commands/{name}.md": f".apm/prompts/{name}.prompt.md" for name in ("greet", "bye")}
    made = {places[path]: text for path, text in files.items()}
    manifest = "".join(f"{key}: {json.dumps(value)}\n" for key, value in named.items())
    return made | {"apm.yml": manifest, ".apm/hooks/hooks.json": json.dumps({"hooks": parts["hooks"]})}


def _skills(files: Files, named: Parts, parts: Parts) -> Files:
    return {"hello/SKILL.md": files["skills/hello/SKILL.md"]}


_FORMATS = {
    "plugport": _plugport,
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "qwen": _qwen,
    "agent-plugins": _agent_plugins,
    "apm": _apm,
    "skills": _skills,
}
FORMATS = tuple(_FORMATS)


def marks(version: str) -> set[str]:
    """Return the words of a version with all its parts."""
    words = {SKILL + version, RULE + version, BYE, SUBAGENT, HOOK + version, SERVER}
    return words | ({COMMAND} if version == FIRST else set())


EVERY_MARK = frozenset(marks(FIRST) | marks(SECOND))
PARTS = {
    SKILL: "skill",
    RULE: "rule",
    COMMAND: "command",
    BYE: "command",
    SUBAGENT: "subagent",
    HOOK: "hook",
    SERVER: "mcp-server",
}
"""Which part a word proves, by its start."""


def kinds(words: set[str] | frozenset[str]) -> set[str]:
    """Return which kinds of parts the words prove."""
    return {kind for start, kind in PARTS.items() for word in words if word.startswith(start)}
