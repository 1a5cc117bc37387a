"""PP004: what has a fix, what a finding says, and which files are left out."""

from __future__ import annotations

import pytest

HELPERS = """\
import contextlib
import sqlite3
import time


class Box:
    @property
    def state(self):
        time.sleep(1)


@contextlib.contextmanager
def slowly():
    time.sleep(1)
    yield


async def show(box: Box):
    with slowly():
        sqlite3.connect("x.db")
    box.state
    time.sleep(1)
"""


def test_a_fix_is_offered_only_where_a_thread_helps(project):
    made = project({"pyproject.toml": "", "a.py": HELPERS})
    assert [line for _, _, line in made.json("--select", "PP004").places] == [19, 20, 21, 22]
    assert made.lint("--select", "PP004", "--fix", "--unsafe").exit == 1
    assert (made.folder / "a.py").read_text().endswith("    await asyncio.to_thread(time.sleep, 1)\n")
    assert (made.folder / "a.py").read_text().count("to_thread") == 1


def test_a_finding_names_the_helper_and_what_it_waits_for_in_the_end(project):
    files = {
        "pyproject.toml": "",
        "app/a.py": "import time\n\n\ndef pause():\n    time.sleep(1)\n",
        "app/b.py": "from app.a import pause\n\n\ndef settle():\n    pause()\n",
        "app/c.py": "from app.b import settle\n\n\nasync def ready():\n    settle()\n",
    }
    (finding,) = project(files).json("--select", "PP004").items
    assert finding["message"].startswith("settle() blocks the event loop in `async def ready`, by time.sleep(): use")
    assert [(step["path"], step["line"], step["message"]) for step in finding["trace"]] == [
        ("app/b.py", 5, "pause() in `settle`"),
        ("app/a.py", 5, "time.sleep() in `pause`"),
    ]


@pytest.mark.parametrize("path", ["test_a.py", "tests/a.py", "conftest.py"])
def test_a_test_blocks_nobody(project, path):
    made = project({"pyproject.toml": "", path: "import time\n\n\nasync def wait():\n    time.sleep(1)\n"})
    assert made.json("--select", "PP004").items == []


def test_a_change_of_a_helper_is_seen_where_it_is_called(project):
    files = {
        "pyproject.toml": "",
        "app/a.py": "import time\n\n\ndef pause():\n    pass\n",
        "app/c.py": "from app.a import pause\n\n\nasync def ready():\n    pause()\n",
    }
    made = project(files)
    assert made.json("--select", "PP004").items == []
    made.write({"app/a.py": "import time\n\n\ndef pause():\n    time.sleep(1)\n"})
    assert made.json("--select", "PP004").places == [("PP004", "app/c.py", 5)]
