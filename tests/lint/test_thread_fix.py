"""A blocking call becomes `await asyncio.to_thread(…)`: nothing else of the file changes, and it is Python."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from support.fixes import fixed_text

from plugport.lint_rules import SourceFile, replace_node
from plugport.lint_rules.analysis.fixes.threads import in_thread
from plugport.lint_rules.engine.tree import every_node

HEAD = "import asyncio\n\n\nasync def f(x, y):\n"


def _fixed(text: str, number: int = 0) -> str | None:
    file = SourceFile(Path("a.py"), "a.py", None, text.encode())
    calls = [node for node in every_node(file.tree()) if isinstance(node, cst.Call)]
    return fixed_text(file.text, in_thread(file, calls[number]))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    time.sleep(1)\n", "    await asyncio.to_thread(time.sleep, 1)\n"),
        ("    return get()\n", "    return await asyncio.to_thread(get)\n"),
        ("    return get(x, *y, a=1)['b']\n", "    return (await asyncio.to_thread(get, x, *y, a=1))['b']\n"),
        ("    return get(x).json()\n", None),
        ("    return (get)(x)\n", "    return await asyncio.to_thread((get), x)\n"),
        ("    y = [get(z) for z in x]\n", "    y = [await asyncio.to_thread(get, z) for z in x]\n"),
        ("    get(z for z in x)\n", "    await asyncio.to_thread(get, (z for z in x))\n"),
        ("    get((z for z in x))\n", "    await asyncio.to_thread(get, (z for z in x))\n"),
        (
            "    if x:\n        get(\n            x,\n            b=1,  # é\n        )\n",
            "    if x:\n        await asyncio.to_thread(\n            get,\n            x,\n            b=1,  # é\n        )\n",
        ),
        ("    with get(x) as z:\n        pass\n", "    with await asyncio.to_thread(get, x) as z:\n        pass\n"),
        ("    return -get(x) ** 2\n", "    return -await asyncio.to_thread(get, x) ** 2\n"),
        ("    get( )\n", "    await asyncio.to_thread(get )\n"),
    ],
)  # fmt: skip
def test_the_call_runs_in_a_thread(body, expected):
    number = 1 if expected is None else 0
    expected = expected or "    return (await asyncio.to_thread(get, x)).json()\n"
    assert _fixed(HEAD + body, number) == HEAD + expected


def test_the_import_comes_where_it_is_missing():
    assert _fixed("import time\n\n\nasync def f():\n    time.sleep(1)\n") == (
        "import asyncio\nimport time\n\n\nasync def f():\n    await asyncio.to_thread(time.sleep, 1)\n"
    )
    assert "await aio.to_thread(get)" in _fixed("import asyncio as aio\n\n\nasync def f():\n    get()\n")


@pytest.mark.parametrize("text", [HEAD + "    return (get(z) for z in x)\n", "async def f(asyncio):\n    get()\n"])
def test_where_it_cannot_be_sure_there_is_no_fix(text):
    assert _fixed(text) is None


def test_a_replacement_of_several_lines_has_the_indent_of_its_place():
    text = "def f():\n    if x:\n        y = old(\n            1,\n            [\n                2,\n            ],\n        )\n"
    file = SourceFile(Path("a.py"), "a.py", None, text.encode())
    call = next(node for node in every_node(file.tree()) if isinstance(node, cst.Call))
    edit = replace_node(file, call, call.with_changes(func=cst.Name("new")))
    start, end = file.offsets(call)
    assert text[:start] + edit.text + text[end:] == text.replace("old", "new")
