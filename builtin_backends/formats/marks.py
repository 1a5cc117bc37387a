"""The files by which each format is known, and the fields of other tools' `plugin.yaml`."""

from __future__ import annotations

from typing import Final

PLUGPORT: Final = "plugin.yaml"
FRAGMENT: Final = "settings-fragment.json"
CLAUDE: Final = ".claude-plugin/plugin.json"
MARKETPLACE: Final = ".claude-plugin/marketplace.json"
CODEX: Final = ".codex-plugin/plugin.json"
GEMINI: Final = "gemini-extension.json"
QWEN: Final = "qwen-extension.json"
ROOT_MANIFEST: Final = "plugin.json"
APM: Final = "apm.yml"

MANIFESTS: Final = (PLUGPORT, CLAUDE, MARKETPLACE, CODEX, GEMINI, QWEN, ROOT_MANIFEST, APM)
"""The files that make a tree something else than bare skills."""

CONTRIBUTORS: Final = frozenset(
    {
        "agents.md",
        "claude.md",
        "gemini.md",
        "qwen.md",
        "contributing.md",
        "code_of_conduct.md",
        "security.md",
        "agent.md",
        "copilot-instructions.md",
    }
)
"""Documents at a repository's root, in lower case, that are for those who work on the plugin."""
