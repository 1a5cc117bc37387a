"""The project's own gates over the project: clean as it stands, and not after a regression."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "core/api/service.py"
CLEAN = '        raise errors.NotReady("the database does not answer", errors.ReadinessFault.DATABASE) from error\n'
RAW = '        return JSONResponse({"error": str(error)}, 503)\n'


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    """What git tracks here, somewhere else."""
    folder = tmp_path_factory.mktemp("copy")
    names = subprocess.run(
        ["git", "ls-files", "-z", "*.py", "*.toml"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    for name in filter(None, names.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "plugport.core", "lint", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_project_is_clean(copied):
    done = _lint(copied)
    assert done.returncode == 0, done.stdout


HEAD = """\
from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import traceback

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from ...hookspecs import errors
from . import problems
from .scar_text import told


"""
HELPER = "def told(error):\n    return {'detail': f'{type(error).__name__}: {error}'}\n"


def _answering(*lines: str) -> str:
    """A handler that answers so after an error of the database."""
    body = "".join(f"        {line}\n" for line in lines)
    return (
        "async def handler(context):\n    try:\n        await context.services.database.fetch('x')\n    except OSError as error:\n"
        + body
    )


SPELLINGS = {
    "str": _answering("return JSONResponse({'error': str(error)}, 503)"),
    "f_string": _answering("return PlainTextResponse(f'the database: {error!r}', 503)"),
    "percent": _answering("return PlainTextResponse('the database: %s' % error, 503)"),
    "format": _answering("return PlainTextResponse('the database: {}'.format(error), 503)"),
    "traceback": _answering("return JSONResponse({'trace': traceback.format_exc().splitlines()}, 503)"),
    "args": _answering("return JSONResponse({'error': error.args[0]}, 503)"),
    "attribute": _answering("return JSONResponse({'file': getattr(error, 'filename', None)}, 503)"),
    "variable": _answering("body = {'status': 503}", "body['detail'] = str(error)", "return JSONResponse(body, 503)"),
    "json": _answering("return Response(json.dumps({'error': repr(error)}).encode(), 503)"),
    "other_module": _answering("return JSONResponse(told(error), 503)"),
    "problem": _answering("return problems.stored({'status': 503, 'detail': str(error)})"),
    "declared": _answering("raise errors.ManifestInvalid('plugin.yaml', str(error)) from error"),
    "http_exception": _answering("raise HTTPException(503, detail=str(error)) from error"),
    "header": _answering(
        "answer = Response(status_code=503)", "answer.headers['X-Reason'] = str(error)", "return answer"
    ),
    "exc_info": _answering("return PlainTextResponse(str(sys.exc_info()[1]), 503)"),
    "joined": _answering(
        "parts = ['failed']", "parts.append(str(error))", "return PlainTextResponse(': '.join(parts), 503)"
    ),
    "helper": "def answer(text):\n    return JSONResponse({'error': text}, 503)\n\n\n"
    + _answering("return answer(str(error))"),
    "own_error": "class Unready(Exception):\n    def __init__(self, text):\n        self.text = text\n\n\n"
    + _answering("raise Unready(str(error)) from error").replace("handler", "look")
    + "\n\nasync def handler(context):\n    try:\n        await look(context)\n    except Unready as failed:\n"
    "        return JSONResponse({'error': failed.text}, 503)\n",
    "kept": _answering("context.request.app.state.last = str(error)").replace("handler", "look")
    + "\n\nasync def handler(context):\n    return JSONResponse({'last': context.request.app.state.last})\n",
    "gathered": "async def handler(context):\n    first, *_ = await asyncio.gather(look(), return_exceptions=True)\n"
    "    return JSONResponse({'first': str(first)})\n",
    "process": "async def handler(context):\n    done = subprocess.run(['df'], capture_output=True, text=True)\n"
    "    if done.returncode != 0:\n        return PlainTextResponse(done.stdout + done.stderr, 503)\n"
    "    return PlainTextResponse('there is room')\n",
    "stream": "async def lines(context):\n    try:\n        yield await context.services.database.fetch('x')\n"
    "    except OSError as error:\n        yield f'error: {error}'\n\n\nasync def handler(context):\n"
    "    return StreamingResponse(lines(context))\n",
}


QUESTIONS = {
    "state": "import docker\n\n\ndef second(name):\n    return docker.from_env().containers.get(name).status\n",
    "list": "import docker\n\n\ndef second(name):\n"
    "    return docker.from_env().containers.list(filters={'name': name})\n",
    "low_level": "def second(api, name):\n    return api.inspect_container(name)\n",
}
PLACES = ["core", "builtin_backends", "tests"]


@pytest.fixture(scope="module")
def broken(copied) -> list[str]:
    """The findings of one run with every mistake in it: each stands in a file of its own."""
    service = copied / SERVICE
    before = service.read_text()
    assert CLEAN in before
    files = {f"core/api/scar_{name}.py": HEAD + text for name, text in SPELLINGS.items()}
    files |= {f"{place}/second_{name}.py": text for place in PLACES for name, text in QUESTIONS.items()}
    files |= {"core/api/scar_text.py": HELPER, SERVICE: before.replace(CLEAN, RAW)}
    for name, text in files.items():
        (copied / name).write_text(text)
    try:
        done = _lint(copied)
    finally:
        for name in files:
            (copied / name).unlink()
        service.write_text(before)
    assert done.returncode == 1
    return done.stdout.splitlines()


def test_an_errors_text_in_a_handler_fails_the_gate(broken):
    assert any(line.startswith(f"{SERVICE}:") and "PP002" in line for line in broken)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_raw_error_in_a_response_fails_the_gate_however_it_is_spelled(broken, spelling):
    start = f"core/api/scar_{spelling}.py:"
    assert any(line.startswith(start) and "PP002" in line for line in broken)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("place", PLACES)
def test_a_second_question_to_the_engine_fails_the_gate(broken, question, place):
    start = f"{place}/second_{question}.py:"
    assert any(line.startswith(start) and "PP001" in line for line in broken)
