"""The loader and the gate PP003 give the same verdict on a hook implementation."""

from __future__ import annotations

import types

import pluggy
import pytest

from plugport.hookspecs.providers import ProviderManager
from plugport.lint_rules import Example
from plugport.lint_rules.engine.lint import Request, lint
from plugport.lint_rules.testing import findings

VALID = {
    "as the specification": "@hookimpl\ndef deliver(workspace, bundle): ...",
    "async": "@hookimpl\nasync def deliver(workspace, bundle): ...",
    "arguments in another order": "@hookimpl\ndef deliver(bundle, workspace): ...",
    "fewer arguments": "@hookimpl\ndef deliver(bundle): ...",
    "no argument": "@hookimpl\ndef observe(): ...",
    "an unknown argument with a default": "@hookimpl\ndef deliver(workspace, bundle, later=None): ...",
    "keyword-only arguments": "@hookimpl\ndef deliver(*, workspace, bundle): ...",
    "an unknown keyword-only argument with a default": "@hookimpl\ndef observe(*, event, later=1): ...",
    "an unknown positional-only argument with a default": "@hookimpl\ndef observe(later=1, /, event=None): ...",
    "an unknown optional hook": "@hookimpl(optionalhook=True)\ndef rewind(whatever, *more): ...",
    "a known optional hook": "@hookimpl(optionalhook=True)\ndef observe(event): ...",
    "specname": "@hookimpl(specname='observe')\ndef watch(event): ...",
    "an empty specname": "@hookimpl(specname='')\ndef observe(event): ...",
    "specname None": "@hookimpl(specname=None)\ndef observe(event): ...",
    "tryfirst and trylast": "@hookimpl(tryfirst=True, trylast=True)\ndef observe(event): ...",
    "wrapper switched off": "@hookimpl(wrapper=False, hookwrapper=0)\ndef observe(event): ...",
    "yield in a function inside": "@hookimpl\ndef observe(event):\n    def inside():\n        yield 1",
    "yield in a lambda inside": "@hookimpl\ndef observe(event):\n    return lambda: (yield)",
    "a source": "@hookimpl\ndef resolve_source(source, destination): ...",
    "lint_rules": "@hookimpl\ndef lint_rules(): ...",
    "another marker of plugport": (
        "import pluggy\nmark = pluggy.HookimplMarker('plugport')\n@mark\ndef observe(event): ..."
    ),
    "a marker of another project": "import pluggy\nmark = pluggy.HookimplMarker('x')\n@mark\ndef seen(event): ...",
    "a method": "class P:\n    @hookimpl\n    def observe(self, event): ...\nprovider = P()",
    "a method with a positional-only self": (
        "class P:\n    @hookimpl\n    def observe(self, /, event): ...\nprovider = P()"
    ),
    "a staticmethod": "class P:\n    @staticmethod\n    @hookimpl\n    def observe(event): ...\nprovider = P()",
    "a marked staticmethod": "class P:\n    @hookimpl\n    @staticmethod\n    def shutdown(): ...\nprovider = P()",
    "a classmethod": "class P:\n    @classmethod\n    @hookimpl\n    def observe(cls, event): ...\nprovider = P()",
    "a class of staticmethods": (
        "class P:\n    @staticmethod\n    @hookimpl\n    def observe(event): ...\nprovider = P"
    ),
    "a decorator that turns a generator into a list": (
        "import functools\ndef listed(f):\n    @functools.wraps(f)\n    def inside(*a, **k):\n"
        "        return [*f(*a, **k)]\n    return inside\n@hookimpl\n@listed\ndef lint_rules():\n    yield 1"
    ),
    "two classes with the same hook": (
        "class A:\n    @hookimpl\n    def observe(self, event): ...\n"
        "class P:\n    @hookimpl\n    def observe(self, event): ...\nprovider = P()"
    ),
}
INVALID = {
    "an unknown hook": "@hookimpl\ndef delivr(workspace, bundle): ...",
    "an unknown hook, optionalhook off": "@hookimpl(optionalhook=False)\ndef rewind(workspace): ...",
    "an unknown specname": "@hookimpl(specname='watch')\ndef observe(event): ...",
    "a specname that is no text": "@hookimpl(specname=5)\ndef observe(event): ...",
    "an unknown option": "@hookimpl(first=True)\ndef observe(event): ...",
    "an unknown argument": "@hookimpl\ndef deliver(workspace, package): ...",
    "an unknown keyword-only argument": "@hookimpl\ndef observe(event, *, color): ...",
    "an unknown positional-only argument": "@hookimpl\ndef observe(color, /, event): ...",
    "a positional-only argument": "@hookimpl\ndef observe(event, /): ...",
    "a positional-only argument with a default": "@hookimpl\ndef observe(event=None, /): ...",
    "a known optional hook with an unknown argument": "@hookimpl(optionalhook=True)\ndef observe(color): ...",
    "*args": "@hookimpl\ndef observe(*events): ...",
    "**kwargs": "@hookimpl\ndef observe(event, **more): ...",
    "a wrapper": "@hookimpl(wrapper=True)\ndef observe(event):\n    return (yield)",
    "an old wrapper": "@hookimpl(hookwrapper=True)\ndef observe(event):\n    yield",
    "a wrapper that does not yield": "@hookimpl(wrapper=True)\ndef observe(event): ...",
    "a wrapper of an unknown optional hook": "@hookimpl(wrapper=True, optionalhook=True)\ndef rewind():\n    yield",
    "a generator": "@hookimpl\ndef list_installed(workspace):\n    yield 1",
    "an async generator": "@hookimpl\nasync def list_installed(workspace):\n    yield 1",
    "a source without its destination": "@hookimpl\ndef resolve_source(source): ...",
    "an async lint_rules": "@hookimpl\nasync def lint_rules(): ...",
    "one hook twice": "@hookimpl\ndef observe(event): ...\n@hookimpl(specname='observe')\ndef watch(event): ...",
    "a method without self": "class P:\n    @hookimpl\n    def shutdown(): ...\nprovider = P()",
    "a method with *args": "class P:\n    @hookimpl\n    def shutdown(*args): ...\nprovider = P()",
    "a method with an unknown argument": "class P:\n    @hookimpl\n    def observe(self, color): ...\nprovider = P()",
    "a staticmethod of self": "class P:\n    @staticmethod\n    @hookimpl\n    def observe(x): ...\nprovider = P()",
}


HEAD = "from plugport.hookspecs import hookimpl\n\n\n"


def loads(code: str) -> bool:
    """Return whether the loader takes the implementations of the object `provider`, or of the module."""
    module = types.ModuleType("odd")
    try:
        exec(HEAD + code, vars(module))
        ProviderManager().register(getattr(module, "provider", module), "odd")
    except (pluggy.PluginValidationError, TypeError):
        return False
    return True


@pytest.fixture(scope="module")
def refused_by_the_gate(tmp_path_factory):
    """Return the cases in which PP003 finds something."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "pyproject.toml").write_text("[tool.plugport.lint]\n")
    cases = VALID | INVALID
    names = {f"case_{number}.py": case for number, case in enumerate(cases)}
    for name, case in names.items():
        (folder / name).write_text(f"{HEAD}{cases[case]}\n")
    report = lint(Request(cache=False, select=("PP003",), working_directory=folder))
    assert not report.failures, (report.crashes, report.problems)
    return {names[finding.path] for finding in report.findings}


@pytest.mark.parametrize("case", [*VALID, *INVALID])
def test_the_loader_and_the_gate_agree(case, refused_by_the_gate):
    code = (VALID | INVALID)[case]
    assert (loads(code), case not in refused_by_the_gate) == (case in VALID, case in VALID)


def test_the_gate_points_at_what_is_wrong(tmp_path):
    code = (
        "from plugport.hookspecs import hookimpl\n"
        "@hookimpl\n"
        "def observe(\n"
        "    event=lambda color: color,\n"
        "    *,\n"
        "    color,\n"
        "): ...\n"
        "@hookimpl(\n"
        "    wrapper=True,\n"
        ")\n"
        "def startup(context): ...\n"
        "@hookimpl(specname='observe')\n"
        "def watch(event): ...\n"
    )
    assert {
        (finding.span.line, finding.message.split(":")[0].split(";")[0])
        for finding in findings("PP003", Example(code), tmp_path)
    } == {
        (6, "observe takes the unknown argument color"),
        (8, "startup is a wrapper, which plugport does not call"),
        (13, "it implements observe more than once"),
    }


def test_an_unknown_hook_is_answered_with_the_hook_that_was_meant():
    with pytest.raises(
        pluggy.PluginValidationError, match=r"unknown hook delivr \(did you mean deliver\?\); known: "
    ):
        ProviderManager().register(_module_with("delivr"), "odd")


def _module_with(name: str) -> types.ModuleType:
    code = f"from plugport.hookspecs import hookimpl\n@hookimpl\ndef {name}(): ...\n"
    module = types.ModuleType("odd")
    exec(code, vars(module))
    return module
