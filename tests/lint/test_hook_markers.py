"""PP003 follows plugport's marker through the modules of a project, under whatever name they hand it on."""

from __future__ import annotations

import pytest

IMPL = "\n\n\n@{}\nasync def deliver(workspace, package): ...\n"
HANDED = {
    "another name": ("from plugport.hookspecs import hookimpl as implements\n", "from acme.hooks import implements", "implements"),
    "an assignment": ("import plugport.hookspecs\nmark = plugport.hookspecs.hookimpl\n", "from acme.hooks import mark as m", "m"),
    "the module": ("from plugport.hookspecs import hookimpl as mark\n", "import acme.hooks", "acme.hooks.mark"),
    "the module from its package": ("from plugport.hookspecs import hookimpl as mark\n", "from acme import hooks as h", "h.mark"),
    "a star": ("from plugport.hookspecs import hookimpl as mark\n", "from acme.hooks import *", "mark"),
    "options of its own": ("from plugport.hookspecs import hookimpl\nmark = hookimpl(trylast=True)\n", "from .hooks import mark", "mark"),
    "a function": ("import pluggy\n\ndef marker():\n    return pluggy.HookimplMarker('plugport')\n", "from acme.hooks import marker\nm = marker()", "m"),
    "a class": ("from plugport.hookspecs import hookimpl\n\nclass Hooks:\n    implements = hookimpl\n", "from acme.hooks import Hooks", "Hooks.implements"),
    "a decorator": ("from plugport.hookspecs import hookimpl\n\ndef mark(function):\n    return hookimpl(function)\n", "from .hooks import mark", "mark"),
}  # fmt: skip


@pytest.mark.parametrize("case", HANDED)
def test_a_marker_of_another_module_is_followed(project, case):
    hooks, imports, name = HANDED[case]
    files = {
        "pyproject.toml": "[tool.plugport.lint]\n",
        "acme/__init__.py": "",
        "acme/hooks.py": hooks,
        "acme/backend.py": imports + IMPL.format(name),
    }
    done = project(files).json("--select", "PP003")
    assert [(item["path"], item["message"].split(";")[0]) for item in done.items] == [
        ("acme/backend.py", "deliver takes the unknown argument package")
    ], done.stderr


def test_a_marker_is_followed_through_modules_that_only_hand_it_on(project):
    files = {
        "pyproject.toml": "[tool.plugport.lint]\n",
        "acme/__init__.py": "from .api import *\n",
        "acme/api.py": "from . import marks\n\nimplements = marks.mark\n",
        "acme/marks.py": "from plugport.hookspecs import hookimpl as mark\n",
        "other/backend.py": "from acme import implements" + IMPL.format("implements(tryfirst=True)"),
        "other/no_marker.py": "from acme import something" + IMPL.format("something"),
    }
    made = project(files)
    assert made.json("--select", "PP003").places == [("PP003", "other/backend.py", 5)]
    made.write({"acme/marks.py": "def mark(function):\n    return function\n"})
    assert made.json("--select", "PP003").items == []


def test_a_function_of_another_module_that_a_call_marks_is_judged_by_its_name(project):
    files = {
        "pyproject.toml": "[tool.plugport.lint]\n",
        "steps.py": "async def carry(workspace, bundle): ...\n",
        "backend.py": "import steps\nfrom plugport.hookspecs import hookimpl\n\n"
        "deliver = hookimpl(steps.carry)\ndelivr = hookimpl(steps.carry)\nfirst = hookimpl(first=True)(steps.carry)\n",
    }
    done = project(files).json("--select", "PP003")
    assert [(item["line"], item["message"][:40]) for item in done.items] == [
        (5, "it implements the unknown hook delivr (d"),
        (6, "`first` is no option of hookimpl; it has"),
        (6, "it implements the unknown hook first; kn"),
    ]
