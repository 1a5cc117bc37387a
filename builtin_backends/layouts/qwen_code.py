"""The layout `qwen-code`: the plugin is an extension, by a link in `extensions/`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ...hookspecs import JSON, Activation, Component, ComponentKind, Contents, LayoutTarget, Severity, hookimpl
from .conversion import body_of, root_variables
from .draft import Draft, draft_for
from .extension import ExtensionRules, lay_out_extension
from .gemini_cli import extension_question
from .tables import QWEN_CODE

_SHORTEST_BODY: Final = 10


class QwenCodeLayout:
    """Lays a plugin out for Qwen Code."""

    layouts = ("qwen-code",)
    config_dirs = MappingProxyType({"qwen-code": QWEN_CODE.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the link and the manifest. Raises `ActivationImpossible` for a name that Qwen Code refuses."""
        draft = draft_for(QWEN_CODE, contents, target)
        others = lay_out_extension(draft, _RULES)
        _check_subagents(draft)
        return draft.build(extension_question("qwen", draft), others.query, others.check, others.look_again)


def _subagent(subagent: Component) -> tuple[dict[str, JSON], bool]:
    fields: dict[str, JSON] = {"name": subagent.name, "description": subagent.description or subagent.name}
    return fields, subagent.path.startswith("agents/")


def _foreign_hook(hook: Component) -> bool:
    """Return whether Qwen Code would misread a hook in the plugin's own `hooks/hooks.json`."""
    foreign = root_variables(hook) - {"CLAUDE_PLUGIN_ROOT"}
    own = str(hook.data.get("event", "")) in QWEN_CODE.events
    return hook.path == "hooks/hooks.json" and (bool(foreign) or not own)


def _check_subagents(draft: Draft) -> None:
    for subagent in draft.of(ComponentKind.SUBAGENT):
        content = draft.read(subagent.path)
        if content is not None and len(body_of(content).strip()) < _SHORTEST_BODY:
            message = f"Qwen Code passes a subagent over whose text has less than {_SHORTEST_BODY} characters"
            draft.note("subagent-short", Severity.ERROR, subagent.path, message)


_RULES: Final = ExtensionRules(
    "qwen-extension.json",
    ".qwen-extension",
    False,
    _subagent,
    _foreign_hook,
    "${CLAUDE_PLUGIN_ROOT}",
    "uses one of the two alone",
)

provider = QwenCodeLayout()
