"""Runs each agent against a fake model, in a home of its own, and gathers what it saw."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.fake_model import FakeModel, fake_model

from .installs import agent_program, node_folder
from .sample import EVERY_MARK


@dataclass(frozen=True)
class Agent:
    """One agent. `folder` is its config dir below the home. `settings` are the files of a person, by their path below
    the home (`{home}` in a text is its place): full of comments and odd spellings, as far as the agent takes them.
    `prompts` are the runs by which
    every part is seen; `asks` the commands whose output counts, too. `state` are those of the settings in which the
    agent itself writes what differs from run to run."""

    name: str
    folder: str
    settings: Mapping[str, str] = field(default_factory=dict)
    prompts: Sequence[Sequence[str]] = (("hi",),)
    asks: Sequence[Sequence[str]] = ()
    state: Sequence[str] = ()

    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        """Return the arguments of one run."""
        raise NotImplementedError

    def environment(self, model: FakeModel) -> dict[str, str]:
        """Return what leads the agent to the model."""
        return {}

    def call(self, base: Path, arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the agent's program in the home below `base`, without a person."""
        own = {"PATH": os.pathsep.join([str(node_folder()), os.environ["PATH"]]), "HOME": str(base / "home")}
        (base / "work").mkdir(exist_ok=True)
        return subprocess.run(
            [str(agent_program(self.name)), *arguments],
            cwd=base / "work",
            env=own | {"TERM": "dumb", "NO_COLOR": "1"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def write_settings(self, base: Path) -> None:
        """Put a person's own files into the home below `base`."""
        for path, text in self.settings.items():
            target = base / "home" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.replace("{home}", str(base / "home")).encode())

    def see(self, base: Path, *, once: bool = False) -> Sight:
        """Run the agent once for each prompt (with `once` for the first alone) and return what it saw."""
        (base / "seen").unlink(missing_ok=True)
        texts: list[str] = []
        for prompt in self.prompts[:1] if once else self.prompts:
            with fake_model() as model:
                done = self.call(base, self.command(model, prompt), **self.environment(model))
                texts += [model.text(), done.stdout, done.stderr]
        for ask in self.asks:
            done = self.call(base, ask)
            texts += [done.stdout, done.stderr]
        if (base / "seen").exists():
            texts.append((base / "seen").read_text())
        text = "\n".join(texts)
        return Sight(EVERY_MARK & set(re.findall(r"[a-z]+", text)), text)


@dataclass(frozen=True, slots=True)
class Sight:
    """The marks that an agent saw, and every text in which they were looked for."""

    marks: frozenset[str] | set[str]
    text: str


_COMMENTED_JSON = """\
// somebody's own
{
  /* two
     lines */ "%s" : %s, // odd
   "mine":{ },\t"theirs"  :"x"
}
"""


class ClaudeCode(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        return ["-p", *prompt, "--output-format", "stream-json", "--verbose"]

    def environment(self, model: FakeModel) -> dict[str, str]:
        return {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-fake"}


class Codex(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        provider = f'model_providers.fake={{name="fake",base_url="{model.url}/v1",wire_api="responses"}}'
        values = ['model_provider="fake"', 'model="fake"', provider]
        options = [option for value in values for option in ("-c", value)]
        return ["exec", "--json", "--skip-git-repo-check", *options, *prompt]

    def trust_of_hooks(self, base: Path) -> set[str]:
        """Return what Codex itself says of its trust in the hooks, one word for each kind of answer."""
        program = [str(agent_program(self.name)), "app-server"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(base / "home")}
        with subprocess.Popen(
            program,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            client = _JsonRpc(server)
            client.call("initialize", {"clientInfo": {"name": "tests", "version": "1"}})
            client.notify("initialized")
            listed = client.call("hooks/list", {"cwds": [str(base / "work")]})
            server.kill()
            return {hook["trustStatus"] for folder in listed["data"] for hook in folder["hooks"]}


class _JsonRpc:
    """Calls a program that reads and writes a JSON object a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._id = process, 0

    def notify(self, method: str, **message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"method": method, **message}) + "\n")
        self._process.stdin.flush()

    def call(self, method: str, params: object) -> Any:
        self._id += 1
        self.notify(method, id=self._id, params=params)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._id:
                assert "result" in answer, answer
                return answer["result"]
        raise AssertionError(f"the server ended without an answer to {method}")


class GeminiCli(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        return ["-m", "gemini-2.5-flash", "-y", "-p", *prompt]

    def environment(self, model: FakeModel) -> dict[str, str]:
        keys = {"GEMINI_API_KEY": "x", "GOOGLE_GEMINI_BASE_URL": model.url}
        return keys | {"GEMINI_CLI_TRUST_WORKSPACE": "true"}


class QwenCode(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        return [*prompt, "--auth-type", "openai", "-y"]

    def environment(self, model: FakeModel) -> dict[str, str]:
        return {"OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": "x", "OPENAI_MODEL": "fake"}


class Copilot(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        return ["-p", *prompt, "--allow-all-tools"]

    def environment(self, model: FakeModel) -> dict[str, str]:
        url = f"{model.url}/v1"
        return {"COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": url, "COPILOT_MODEL": "fake"}


class Opencode(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        return ["run", *prompt]

    def environment(self, model: FakeModel) -> dict[str, str]:
        options = {"baseURL": f"{model.url}/v1", "apiKey": "x"}
        provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"fake": {}}}
        return {"OPENCODE_CONFIG_CONTENT": json.dumps({"model": "fake/fake", "provider": {"fake": provider}})}


class Hermes(Agent):
    def command(self, model: FakeModel, prompt: Sequence[str]) -> list[str]:
        return ["-z", *prompt]

    def see(self, base: Path, *, once: bool = False) -> Sight:
        """Hermes reads where the model is from its configuration alone: it stands there while the agent runs."""
        config = base / "home/.hermes/config.yaml"
        before = config.read_bytes()
        with fake_model() as model:
            config.write_bytes(before.replace(b"http://127.0.0.1:1", model.url.encode()))
            try:
                done = self.call(base, self.command(model, ("hi",)))
            finally:
                config.write_bytes(config.read_bytes().replace(model.url.encode(), b"http://127.0.0.1:1"))
            text = "\n".join([model.text(), done.stdout, done.stderr])
        seen = base / "seen"
        text += seen.read_text() if seen.exists() else ""
        seen.unlink(missing_ok=True)
        return Sight(EVERY_MARK & set(re.findall(r"[a-z]+", text)), text)


_CLAUDE_SETTINGS = """\
{ "env":{ },\t"permissions" : {"allow":["Bash(ls:*)" ] },
"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"true"}]}]} }"""
_CLAUDE_PLUGIN = """{"name":"mine","hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"true"}]}]}}"""
"""A person's own hooks, server and plugin are the control: Claude Code keeps logs or data for each."""

_CODEX_CONFIG = """\
# mine
'model'   = "fake" # odd

[plugins . "mine@market"]
enabled=true
[hooks.state."mine@market:plugin.json#hooks[0]:session_start:0:0"]
trusted_hash   = 'sha256:696abd07fc74736ff2d809abef82925e1ea697cd2e547d73317c677b0d407441'
trusted_content_hash = "sha256:38c482066bede032b8954aa6dd74c5c51d968155c6664f76a696db60ecd7fbe3"
# the end"""
_CODEX_PLUGIN = '{"name":"mine","hooks":{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"true"}]}]}}}'
"""A person's own plugin with a trusted hook is the control: Codex keeps a file for each in `.hook-trust`."""

_COPILOT_SETTINGS = """\
// somebody's own
{
  /* two
     lines */ "enabledPlugins" : {"mine@other":true}, // odd
  "extraKnownMarketplaces":{ "other":{"source":{"source":"directory","path":"%s/market"}}}, "theirs"  :"x"
}
"""
_COPILOT_MARKET = '{"name":"other","owner":{"name":"me"},"plugins":[{"name":"mine","source":"./mine"}]}'

_SLASH = (("/greet you",), ("/bye you",))
AGENTS = {
    agent.name: agent
    for agent in (
        ClaudeCode(
            "claude-code",
            ".claude",
            {
                ".claude/settings.json": _CLAUDE_SETTINGS,
                ".claude.json": '{"mcpServers":{ "mine":{"command":"false"} }}',
                ".claude/CLAUDE.md": "My own rules.  \r\nNo line feed at the end",
                ".claude/skills/mine/skills/own/SKILL.md": "---\nname: own\ndescription: Mine.\n---\n\nMine.\n",
                ".claude/skills/mine/.claude-plugin/plugin.json": _CLAUDE_PLUGIN,
            },
            state=(".claude.json",),
        ),
        Codex(
            "codex",
            ".codex",
            {
                ".codex/config.toml": _CODEX_CONFIG,
                ".codex/plugins/cache/market/mine/local/.codex-plugin/plugin.json": _CODEX_PLUGIN,
                ".codex/AGENTS.md": "My own rules.  \r\nNo line feed at the end",
            },
        ),
        GeminiCli(
            "gemini-cli",
            ".gemini",
            {
                ".gemini/settings.json": _COMMENTED_JSON
                % ("security", '{"auth" : {"selectedType":"gemini-api-key"}}'),
                ".gemini/GEMINI.md": "My own rules.  \r\nNo line feed at the end",
            },
            _SLASH,
        ),
        QwenCode(
            "qwen-code",
            ".qwen",
            {
                ".qwen/settings.json": _COMMENTED_JSON % ("security", "{}"),
                ".qwen/QWEN.md": "My own rules.  \r\nNo line feed at the end",
            },
            _SLASH,
        ),
        Copilot(
            "copilot",
            ".copilot",
            {
                ".copilot/settings.json": _COPILOT_SETTINGS % "{home}",
                "market/.claude-plugin/marketplace.json": _COPILOT_MARKET,
                "market/mine/.plugin/plugin.json": _CLAUDE_PLUGIN,
                ".copilot/copilot-instructions.md": "My own rules.  \r\nNo line feed at the end",
            },
        ),
        Opencode(
            "opencode",
            ".config/opencode",
            {
                ".config/opencode/opencode.json": (
                    '// mine\n{ "instructions" : ["/nowhere/*.md",], /* odd */\n  "mcp":{},\n}\n'
                ),
                ".config/opencode/plugins/mine.js": "export const Mine = async () => ({})\n",
                ".config/opencode/AGENTS.md": "My own rules.  \r\nNo line feed at the end",
            },
            (("hi",), ("--command", "demo/greet", "you"), ("--command", "demo/bye", "you")),
        ),
        Hermes(
            "hermes",
            ".hermes",
            {
                ".hermes/config.yaml": (
                    "# mine\nmodel: {provider: custom, default: fake,   # odd\n"
                    "  base_url: 'http://127.0.0.1:1/v1', api_key: x, context_length: 128000}\n\n"
                    "mcp_servers:   # odd\n      'mine':\n           command: 'false'\n# the end"
                ),
                ".hermes/SOUL.md": "My own rules.  \r\nNo line feed at the end",
            },
        ),
    )
}
"""Every agent that is tested, by the name of its layout."""
