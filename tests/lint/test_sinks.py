"""What a project says of its own web framework under `[[tool.plugport.lint.sinks]]`, and what PP002 makes of it."""

from __future__ import annotations

import pytest

TABLE = """
[[tool.plugport.lint.sinks]]
calls = ["acme.web.reply", "acme.web.Refused", "acme.web.Page.push"]

[[tool.plugport.lint.sinks]]
calls = ["acme.web.leave"]
arguments = [1, "why"]
medium = "a farewell"

[[tool.plugport.lint.sinks]]
responses = ["acme.web.Page"]
routes = ["acme.web.page", ".add_page"]
handlers = [".on_error"]
streams = ["acme.web.Stream"]
"""
TRY = "    try:\n        work()\n    except Exception as exc:\n"
INDENTED = "        try:\n            work()\n        except Exception as exc:\n"
HEAD = "from acme import web\n\n\n"


def _lines(project, text: str, table: str = TABLE) -> list[int]:
    done = project({"pyproject.toml": "[tool.plugport.lint]\n" + table, "app.py": text}).json(
        "--select", "PP002", "--no-cache"
    )
    assert done.exit in {0, 1}, done.stderr
    return [line for _, _, line in done.places]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}def show(call):\n{TRY}        web.reply(str(exc))\n",
        f"{HEAD}def show(call):\n{TRY}        raise web.Refused(str(exc)) from exc\n",
        f"{HEAD}class Gone(web.Refused):\n    pass\n\n\ndef show(call):\n{TRY}        raise Gone(str(exc)) from exc\n",
        f"{HEAD}class Mine(web.Page):\n    def show(self):\n{INDENTED}            self.push(str(exc))\n",
        f"{HEAD}def show(page: web.Page):\n{TRY}        page.push(str(exc))\n",
        f"{HEAD}def show(call):\n    p = web.Page()\n{TRY}        p.headers['X'] = str(exc)\n",
        f"{HEAD}def show(call):\n{TRY}        web.leave(call, why=str(exc))\n",
        f"{HEAD}def show(call):\n{TRY}        web.leave(call, str(exc))\n",
        f"{HEAD}@web.page\ndef show():\n{TRY}        return str(exc)\n",
        f"{HEAD}def show():\n{TRY}        return str(exc)\n\n\nbook.add_page('front', show)\n",
        f"{HEAD}@book.on_error(ValueError)\ndef failed(what):\n    web.reply(str(what))\n",
        f"{HEAD}def failed(what):\n    web.reply(str(what))\n\n\nbook.on_error(ValueError, failed)\n",
        f"{HEAD}def lines():\n{TRY}        yield str(exc)\n\n\ndef show():\n    return web.Stream(lines())\n",
    ],
)
def test_a_project_adds_what_sends(project, text):
    assert len(_lines(project, text)) == 1
    assert _lines(project, text, "") == []


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}def show(call):\n{TRY}        web.leave(str(exc), 'sorry')\n",
        f"{HEAD}def show(call):\n{TRY}        web.note(str(exc))\n",
        f"{HEAD}class Page:\n    def push(self, text): ...\n\n\ndef show(page: Page):\n{TRY}        page.push(str(exc))\n",
        f"{HEAD}def show():\n{TRY}        return str(exc)\n\n\nbook.drop_page('front', show)\n",
    ],
)
def test_what_is_not_named_sends_nothing(project, text):
    assert _lines(project, text) == []


@pytest.mark.parametrize("key", ["calls", "handlers", "responses", "routes", "streams"])
def test_a_name_that_means_nothing_is_a_usage_error(project, key):
    table = f'[[tool.plugport.lint.sinks]]\n{key} = ["app.pages.show", ".any_method", "app.nothing.*"]\n'
    files = {"app/__init__.py": "", "app/pages.py": "def show(): ...\n"}
    done = project({"pyproject.toml": "[tool.plugport.lint]\n" + table, **files}).lint("--no-cache")
    assert done.exit == 2
    assert f"sinks[0].{key}: 'app.nothing'" in done.stderr


def test_the_finding_names_the_message(project):
    text = f"{HEAD}def show(call):\n{TRY}        web.leave(call, str(exc))\n"
    done = project({"pyproject.toml": "[tool.plugport.lint]\n" + TABLE, "app.py": text}).json("--no-cache")
    assert "reaches a client in a farewell" in done.items[0]["message"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('sinks = ["acme.web.reply"]', "must be tables"),
        ('[[tool.plugport.lint.sinks]]\ncall = ["a.b"]', "sinks.call: is no key"),
        ('[[tool.plugport.lint.sinks]]\ncalls = "a.b"', "sinks.calls: must be a list of qualified names"),
        ('[[tool.plugport.lint.sinks]]\ncalls = [".b"]\narguments = [true]', "sinks.arguments: must be positions"),
        ('[[tool.plugport.lint.sinks]]\ncalls = [".b"]\nmedium = 3', "sinks.medium: must be words"),
        ('[[tool.plugport.lint.sinks]]\nmedium = "mail"', "a table needs one of"),
        ('[[tool.plugport.lint.sinks]]\nroutes = [".page"]\narguments = [0]', "stands beside `calls`"),
    ],
)
def test_a_wrong_table_is_a_usage_error(project, table, words):
    done = project({"pyproject.toml": "[tool.plugport.lint]\n" + table + "\n", "app.py": "x = 1\n"}).lint(
        "--no-cache"
    )
    assert done.exit == 2
    assert words in done.stderr
