"""A question to an engine becomes a call of the one helper, if that says the same."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from support.fixes import fixed_text

from plugport.lint_rules import SourceFile
from plugport.lint_rules.analysis.fixes.helper_calls import Helper, describe_helper, helper_call
from plugport.lint_rules.engine.tree import every_node

ANNOTATED = "def state(name: str, retries: int = 3) -> str: ...\n"


def _helper(text: str = ANNOTATED, module: str | None = "app.running") -> Helper | None:
    return describe_helper(SourceFile(Path("r.py"), "app/running.py", module, text.encode()), "state")


def _fixed(body: str, helper: Helper | None = None, part: str = "get") -> str | None:
    text = f"import docker\n\n\ndef f(n):\n    {body}\n"
    file = SourceFile(Path("a.py"), "app/a.py", "app.a", text.encode())
    nodes = [node for node in every_node(file.tree()) if isinstance(node, cst.Attribute)]
    node = next(node for node in nodes if node.attr.value == part)
    changed = fixed_text(text, helper_call(file, node, helper or _helper()))
    if changed is None:
        return None
    start = "import docker\n\nfrom app.running import state\n\n\ndef f(n):\n    "
    assert changed.startswith(start)
    return changed.removeprefix(start).removesuffix("\n")


@pytest.mark.parametrize(
    ("body", "part", "expected"),
    [
        ("return c().containers.get(n).status", "get", "return state(n)"),
        ("return c().containers.get(n).status", "status", "return state(n)"),
        ("return c.containers.get(n).attrs['State']['Running']", "attrs", 'return state(n) == "running"'),
        ("return not api.inspect_container(container=n)['State']['Paused']", "inspect_container", 'return not state(n) == "paused"'),
        ("return c.containers.get(n).attrs['State']['Running'] is True", "get", 'return (state(n) == "running") is True'),
        ("x = c.containers.get(f'a-{n}').status.upper()", "get", "x = state(f'a-{n}').upper()"),
        ("if c.containers.get(g(n)).status == 'x': pass", "get", "if state(g(n)) == 'x': pass"),
    ],
)  # fmt: skip
def test_the_helper_is_asked_instead(body, part, expected):
    assert _fixed(body, part=part) == expected


@pytest.mark.parametrize(
    "body",
    [
        "return c.containers.get(n)",
        "c.containers.get(n).exec_run('x')",
        "return c.containers.get(n).attrs",
        "return c.containers.get(n).attrs['State']['ExitCode']",
        "return c.containers.get(n).attrs[n]",
        "return [c.containers.get for n in x]",
    ],
)
def test_what_the_helper_does_not_answer_has_no_fix(body):
    assert _fixed(body) is None


def test_a_helper_that_is_a_coroutine_is_awaited_where_that_is_possible():
    helper = _helper("async def state(name) -> str: ...\n")
    assert _fixed("return c.containers.get(n).status", helper) is None
    assert _fixed("async def g():\n        return (await c.containers.get(n))['Status']", helper) == (
        "async def g():\n        return await state(n)"
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("def state(n):\n    return c.get(n).status\n", "str"),
        ("def state(n):\n    return c.get(n)['Status'] if n else 'gone'\n", ""),
        ("def state(n) -> bool: ...\n", "bool"),
        ("def state(n) -> State: ...\n", ""),
        ("def state(n):\n    pass\n", ""),
    ],
)
def test_what_a_helper_answers_is_read_from_its_code(text, answer):
    helper = _helper(text)
    assert helper.answer == answer
    assert Helper.from_json(helper.to_json()) == helper


@pytest.mark.parametrize(
    "text", ["def state(a, b): ...\n", "def state(*, a): ...\n", "def state(): ...\n", "x = 1\n", ANNOTATED * 2]
)
def test_a_function_that_is_no_such_helper(text):
    assert _helper(text) is None


def test_a_helper_of_no_module_cannot_be_imported():
    assert _helper(module=None) is None
    assert Helper.from_json(None) is None
