"""What a reader should know of each runtime beside its table: the documentation shows it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NOTES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "claude-code": (
            (
                "A plugin without `.claude-plugin/plugin.json` gets one, with the paths of what lies outside the "
                "default folders."
            ),
            (
                "Its settings files must be plain JSON: with a comment in `settings.json` it ignores the whole "
                "file, without a word."
            ),
            (
                "If `hooks/hooks.json` has another runtime's event, it ignores that file and says so; the hooks "
                "are in the manifest then."
            ),
            "It keeps an empty folder `plugins/data/<plugin>-skills-dir` of its own, which an uninstall leaves.",
        ),
        "codex": (
            (
                "`hooks` as a grant writes down for each hook what a person's trust writes: a hash of the hook and "
                "of all the plugin's files, under `[hooks.state]` in `config.toml`. An update needs the grant anew."
            ),
            (
                "Without the grant a person trusts the hooks: start `codex`, which says that hooks need review. "
                "That is the only way for a hook that is written as plugport has not seen Codex read it; the answer "
                "names the grant under `unsupported` then."
            ),
            (
                "If a person trusted an older version by hand, a grant is refused with `activation-impossible`: "
                "remove that entry below `[hooks.state]` first."
            ),
            "It keeps a file in `.hook-trust/` of its own for each trusted hook, which an uninstall leaves.",
            "A `plugin.json` at the plugin's root switches its hooks off.",
            "`AGENTS.override.md` in the config dir hides the rules; the install warns of it.",
            (
                "It replaces no variable in the entries of MCP servers: plugport writes them as paths from the "
                "plugin's folder, unless the plugin brings `.codex-plugin/plugin.json`."
            ),
            "Subagents have all tools: it does not know `tools`.",
        ),
        "gemini-cli": (
            (
                "A plugin without `gemini-extension.json` that it would misread in places gets a folder "
                "`.gemini-extension/` with everything converted, and the link leads there; its skills are then "
                "linked in `skills/`."
            ),
            (
                "Without a person (`-p`) it gives the model no MCP tool and no skill, unless `mcp-tools` and "
                "`skills` are granted (files in `policies/`) or it is started with `-y`."
            ),
            (
                "A second extension of a name stops it from starting: an install refuses that, whatever the other "
                "one's folder is called, and names it. Only one that is linked from outside the home is not found "
                "beforehand; the agent is asked then, and the activation taken back."
            ),
            "Its `settings.json` may have comments, but no comma before a closing bracket: it does not start then.",
        ),
        "qwen-code": (
            "Commands in Markdown that use `$ARGUMENTS` are converted: it knows `{{args}}` alone.",
            "A subagent whose text has less than ten characters is passed over.",
            "It rewrites `settings.json` itself at its first start (it adds `$version`).",
        ),
        "copilot": (
            (
                "`plugins/` is a marketplace called `plugport`, read in place. The plugin gets a "
                "`.plugin/plugin.json`, which it prefers to every other manifest."
            ),
            "It prefers `.mcp.json` to the manifest, and starts its servers outside the plugin's folder.",
            "It keeps a folder `plugin-data/plugport/<plugin>` of its own, which an uninstall leaves.",
        ),
        "opencode": (
            (
                "Hooks run through `plugins/<plugin>.js`: a hook gets the event as JSON on its standard input, "
                "and exit code 2 of a `PreToolUse` hook refuses the call. What a hook prints is not read."
            ),
            "`${NAME}` in MCP entries becomes `{env:NAME}`.",
            "It does not start with an entry that it does not know: what plugport writes there was run.",
        ),
        "hermes": (
            (
                "Hooks run once their commands are approved: `hooks` as a grant adds exactly these commands to "
                "`shell-hooks-allowlist.json`."
            ),
            (
                "It keeps the list of skills by path, size and time, so the link to the skills carries the start "
                "of the digest."
            ),
            (
                "A plugin of plugport's own format is listed by `hermes plugins list`, too, as one that is off: "
                "both call a file `plugin.yaml`."
            ),
        ),
        "agents": (
            (
                "Codex, Gemini CLI, Qwen Code, Copilot CLI and opencode read this folder; Claude Code and Hermes "
                "do not. There is no agent of its own to run or to ask."
            ),
            "A skill of a name that is there already is refused.",
        ),
    }
)
