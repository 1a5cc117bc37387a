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
    "applied by a call": "def observe(event): ...\nhookimpl(observe)",
    "applied by a call with options": "def observe(event): ...\nhookimpl(tryfirst=True)(observe)",
    "applied by a call under the same name": "def observe(event): ...\nobserve = hookimpl(observe)",
    "applied to a lambda": "observe = hookimpl(lambda event: None)",
    "applied to a function in a class": (
        "def _seen(self, event): ...\nclass P:\n    observe = hookimpl(_seen)\nprovider = P()"
    ),
    "a marked function under its hook's name, with specname": "@hookimpl(specname='observe')\ndef _seen(event): ...",
    "a marker with options of its own": "early = hookimpl(tryfirst=True)\n@early\ndef observe(event): ...",
    "a partial marker": (
        "import functools\nearly = functools.partial(hookimpl, tryfirst=True)\n@early()\ndef observe(event): ..."
    ),
    "an own decorator": "def mark(f):\n    return hookimpl(tryfirst=True)(f)\n@mark\ndef observe(event): ...",
    "an own optional decorator": (
        "def mark(f):\n    return hookimpl(optionalhook=True)(f)\n@mark\ndef rewind(event): ..."
    ),
    "a marker in a class": "class Hooks:\n    impl = hookimpl\n@Hooks.impl\ndef observe(event): ...",
    "a marker that a function returns": (
        "import pluggy\ndef marker():\n    return pluggy.HookimplMarker('plugport')\n"
        "mark = marker()\n@mark\ndef observe(event): ..."
    ),
    "an attribute of a namespace": (
        "import types\ndef _seen(event): ...\nprovider = types.SimpleNamespace(observe=hookimpl(_seen))"
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
    "an unknown hook by a call": "def observ(event): ...\nhookimpl(observ)",
    "a function under two names": "def _seen(event): ...\nobserve = hookimpl(_seen)",
    "an unknown argument by a call": "def observe(color): ...\nobserve = hookimpl(observe)",
    "an unknown argument by a call with options": "def observe(color): ...\nhookimpl(trylast=True)(observe)",
    "a lambda with an unknown argument": "observe = hookimpl(lambda color: None)",
    "an unknown hook of a lambda": "observ = hookimpl(lambda event: None)",
    "a method by a call": ("def _seen(self, color): ...\nclass P:\n    observe = hookimpl(_seen)\nprovider = P()"),
    "an own decorator of an unknown hook": "def mark(f):\n    return hookimpl(f)\n@mark\ndef rewind(event): ...",
    "a partial marker of an unknown hook": (
        "import functools\nearly = functools.partial(hookimpl, tryfirst=True)\n@early()\ndef observ(event): ..."
    ),
    "a marker with options of its own, of a wrapper": (
        "around = hookimpl(wrapper=True)\n@around\ndef observe(event):\n    return (yield)"
    ),
    "a marker of a class": "class Hooks:\n    impl = hookimpl\n@Hooks.impl\ndef observ(event): ...",
    "a marker in a dict": "marks = {'impl': hookimpl}\n@marks['impl']\ndef observ(event): ...",
    "a marker by getattr": ("import plugport.hookspecs as h\n@getattr(h, 'hookimpl')\ndef observ(event): ..."),
    "a marker by importlib": (
        "import importlib\nh = importlib.import_module('plugport.hookspecs')\n@h.hookimpl\ndef observ(event): ..."
    ),
    "a marker of a function": (
        "import pluggy\ndef marker():\n    return pluggy.HookimplMarker('plugport')\n"
        "mark = marker()\n@mark\ndef observ(event): ..."
    ),
    "an unknown attribute of a namespace": (
        "import types\ndef _seen(event): ...\nprovider = types.SimpleNamespace(observ=hookimpl(_seen))"
    ),
    "an unknown attribute by setattr": (
        "import sys\nclass P: ...\nprovider = P()\nsetattr(provider, 'observ', hookimpl(lambda event: 1))"
    ),
    "a loop": "def observe(event): ...\ndef observ(event): ...\nfor f in (observe, observ):\n    hookimpl(f)",
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
