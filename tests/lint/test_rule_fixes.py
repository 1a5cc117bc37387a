"""The built-in rules' own fixes, through the engine: on the labelled corpus, and with a helper in another file."""

from __future__ import annotations

import pytest
from support.corpus import cases, written

from plugport.lint_rules.engine.fix_run import fix
from plugport.lint_rules.engine.installed_rules import load_rules
from plugport.lint_rules.engine.lint import Request

EVERY = 3
WORTH_IT = {"PP001": 0, "PP002": 20, "PP004": 0}
"""Findings of every third case that have a fix, at least; a corpus that grows has more."""


@pytest.mark.parametrize("rule", WORTH_IT)
def test_after_the_fixes_of_a_corpus_what_had_a_fix_is_clean_and_python(rule, tmp_path):
    count, installed = 0, load_rules()
    for number, case in enumerate(cases(rule)[::EVERY]):
        folder = tmp_path / str(number)
        folder.mkdir()
        written(case, folder)
        run = fix(
            Request(cache=False, select=(rule,), working_directory=folder), with_unsafe=True, installed=installed
        )
        count += run.count
        assert run.left == (), case.id
        assert [finding for finding in run.report.findings if finding.fix is not None] == [], case.id
        for path, data in run.after.items():
            compile(data, path, "exec")
    assert count >= WORTH_IT[rule]


HANDLER = """\
import httpx
import requests
from starlette.responses import JSONResponse

from fetching import fetched


async def show(request):
    page = requests.get("http://example.org").json()
    try:
        work(page)
    except ValueError as error:
        return JSONResponse({"error": f"failed: {error}"}, status_code=500)
    return JSONResponse(fetched("x"))
"""
FETCHING = """\
def fetched(name):
    try:
        return {"path": download(name)}
    except OSError as error:
        return {"error": str(error)}
"""


def test_a_helper_in_another_file_is_fixed_there(project):
    made = project({"pyproject.toml": "[tool.plugport.lint]\n", "api.py": HANDLER, "fetching.py": FETCHING})
    assert made.lint("--fix").exit == 1
    done = made.lint("--fix", "--unsafe")
    assert (done.exit, done.stdout) == (0, "no findings in 2 files\n"), done.stdout
    assert (made.folder / "fetching.py").read_text() == (
        "import logging\n\n\n"
        + FETCHING.replace(
            '        return {"error": str(error)}',
            '        logging.getLogger(__name__).exception("the request failed")\n        return {"error": "the request failed"}',
        )
    )
    text = (made.folder / "api.py").read_text()
    assert text.startswith("import asyncio\nimport logging\n\nimport httpx\n")
    assert '    page = (await asyncio.to_thread(requests.get, "http://example.org")).json()\n' in text
    assert '        return JSONResponse({"error": "the request failed"}, status_code=500)\n' in text
