"""`--show-config`: prints what is in force as TOML that `--config` takes again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..engine.configuration import Configuration, load
from ..engine.contract import JSON
from ..engine.errors import UsageError
from ..engine.installed_rules import InstalledRule, load_rules
from ..engine.lint import Request, read_files, selected
from ..engine.named_in_configuration import check_names
from ..tables.guarded_apis import PRESETS


def show_config(request: Request) -> str:
    """Return the table with its defaults; comments say where it comes from, which rules run, and how files are
    imported. Raises `UsageError` for a configuration that a run would refuse, and if tomli-w is not installed."""
    try:
        import tomli_w
    except ImportError as error:
        raise UsageError("--show-config needs tomli-w: pip install 'plugport[lint]'") from error
    configuration = load(request.config, request.working_directory)
    rules = selected(load_rules(), request.select)
    files, _ = read_files(request, configuration)
    check_names(configuration, files)
    for rule in rules:
        rule.load()[0](configuration.table)
    defaults: dict[str, JSON] = {"exclude": [], "roots": [], "sanitizers": []}
    table = {**defaults, **configuration.table}
    text = tomli_w.dumps({"tool": {"plugport": {"lint": table}}}, multiline_strings=False)
    return "\n".join([*_comments(configuration, rules), "", text.rstrip()])


def _comments(configuration: Configuration, rules: list[InstalledRule]) -> Iterator[str]:
    yield f"# root: {configuration.root}"
    yield f"# from: {configuration.file or 'nothing, these are the defaults'}"
    for rule in rules:
        yield f"# rule: {rule.code}, version {rule.version}, of {rule.origin}{_state(rule, configuration.table)}"
    for root in configuration.module_roots:
        yield f"# modules: {root.folder or '.'}/ is imported as {root.package + '.' if root.package else ''}…"


def _state(rule: InstalledRule, table: Mapping[str, JSON]) -> str:
    """Return which APIs PP001 guards: its presets are named, not written out."""
    callers = table.get("only-caller")
    if rule.code != "PP001":
        return ""
    if not isinstance(callers, list) or not callers:
        return ", off: there is no only-caller table"
    presets = [str(caller["preset"]) for caller in callers if isinstance(caller, dict) and "preset" in caller]
    return f", with {', '.join(name for name in presets if name in PRESETS)}" if presets else ""
