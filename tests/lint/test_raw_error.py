"""PP002 on a labelled corpus: every line that ends in `# BAD` is a finding, and no other line is."""

from __future__ import annotations

S = "from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse, Response\n"
F = "from fastapi import FastAPI, APIRouter, HTTPException, WebSocket\nfrom fastapi.responses import JSONResponse\napp = FastAPI()\n"
T = "async def h(request):\n    try:\n        work()\n    except Exception as e:\n"

BAD = {
    "str": S + T + "        return JSONResponse({'e': str(e)})  # BAD\n",
    "repr": S + T + "        return PlainTextResponse(repr(e))  # BAD\n",
    "f-string": S + T + "        return PlainTextResponse(f'failed: {e}')  # BAD\n",
    "f-string with conversion": S + T + "        return PlainTextResponse(f'failed: {e!r}')  # BAD\n",
    "percent": S + T + "        return PlainTextResponse('failed: %s' % e)  # BAD\n",
    "format": S + T + "        return PlainTextResponse('failed: {}'.format(e))  # BAD\n",
    "plus": S + T + "        return PlainTextResponse('failed: ' + str(e))  # BAD\n",
    "args": S + T + "        return JSONResponse({'e': e.args})  # BAD\n",
    "args 0": S + T + "        return JSONResponse({'e': e.args[0]})  # BAD\n",
    "cause": S + T + "        return JSONResponse({'e': str(e.__cause__)})  # BAD\n",
    "strerror": S + T.replace("Exception", "OSError") + "        return JSONResponse({'e': e.strerror})  # BAD\n",
    "filename": S + T.replace("Exception", "OSError") + "        return JSONResponse({'e': e.filename})  # BAD\n",
    "stderr": S
    + "import subprocess\n"
    + T.replace("Exception", "subprocess.CalledProcessError")
    + "        return JSONResponse({'e': e.stderr})  # BAD\n",
    "message": S + T + "        return JSONResponse({'e': e.message})  # BAD\n",
    "getattr": S + T + "        return JSONResponse({'e': getattr(e, 'message', '')})  # BAD\n",
    "variable": S + T + "        text = str(e)\n        return JSONResponse({'e': text})  # BAD\n",
    "outside of the except": S
    + "async def h(request):\n    error = None\n    try:\n        work()\n    except Exception as e:\n        error = str(e)\n    return JSONResponse({'e': error})  # BAD\n",
    "augmented": S
    + T
    + "        text = 'failed: '\n        text += str(e)\n        return PlainTextResponse(text)  # BAD\n",
    "list": S
    + T
    + "        errors = []\n        errors.append(str(e))\n        return JSONResponse({'e': errors})  # BAD\n",
    "dict": S + T + "        body = {}\n        body['e'] = str(e)\n        return JSONResponse(body)  # BAD\n",
    "update": S
    + T
    + "        body = {}\n        body.update(error=str(e))\n        return JSONResponse(body)  # BAD\n",
    "join": S + T + "        return PlainTextResponse(', '.join(['failed', str(e)]))  # BAD\n",
    "unpacking": S
    + T
    + "        code, text = 500, str(e)\n        return JSONResponse({'e': text}, status_code=code)  # BAD\n",
    "conditional": S + T + "        return JSONResponse({'e': str(e) if request else 'x'})  # BAD\n",
    "or": S + T + "        return JSONResponse({'e': str(e) or 'unknown'})  # BAD\n",
    "match": S
    + T
    + "        match e:\n            case ValueError(args=[text]):\n                return JSONResponse({'e': text})  # BAD\n",
    "stderr through a helper": S
    + "import subprocess\ndef told(done):\n    return JSONResponse({'e': done.stderr})\nasync def h(request):\n    done = subprocess.run(['x'], capture_output=True)\n    return told(done)  # BAD\n",
    "own text after isinstance": S
    + "async def on_any(request, exc):\n    if isinstance(exc, ValueError):\n        return JSONResponse({'detail': str(exc)})  # BAD\n    return JSONResponse({'detail': 'failed'})\n",
    "debug only": S
    + "import traceback\nDEBUG = False\n"
    + T
    + "        if DEBUG:\n            return PlainTextResponse(traceback.format_exc())  # BAD\n        return PlainTextResponse('no')\n",
    "traceback": S + "import traceback\n" + T + "        return PlainTextResponse(traceback.format_exc())  # BAD\n",
    "format_exception": S
    + "from traceback import format_exception\n"
    + T
    + "        return PlainTextResponse(''.join(format_exception(e)))  # BAD\n",
    "exc_info": S
    + "import sys\nasync def h(request):\n    try:\n        work()\n    except Exception:\n        return PlainTextResponse(str(sys.exc_info()[1]))  # BAD\n",
    "sys.exception": S
    + "import sys\nasync def h(request):\n    try:\n        work()\n    except Exception:\n        return PlainTextResponse(str(sys.exception()))  # BAD\n",
    "task": S + "async def h(request, task):\n    return PlainTextResponse(str(task.exception()))  # BAD\n",
    "gather": S
    + "import asyncio\nasync def h(request):\n    results = await asyncio.gather(a(), b(), return_exceptions=True)\n    return JSONResponse([str(r) for r in results])  # BAD\n",
    "gather looked at": S
    + "import asyncio\nasync def h(request):\n    results = await asyncio.gather(a(), b(), return_exceptions=True)\n    errors = [str(r) for r in results if isinstance(r, Exception)]\n    return JSONResponse({'errors': errors})  # BAD\n",
    "process": S
    + "import subprocess\nasync def h(request):\n    done = subprocess.run(['x'], capture_output=True)\n    return PlainTextResponse(done.stderr)  # BAD\n",
    "communicate": S
    + "import asyncio\nasync def h(request):\n    p = await asyncio.create_subprocess_exec('x')\n    out, err = await p.communicate()\n    return PlainTextResponse(err.decode())  # BAD\n",
    "handler by name": S + "async def failed(request, exc):\n    return JSONResponse({'e': str(exc)})  # BAD\n",
    "handler by decorator": F
    + "@app.exception_handler(ValueError)\nasync def failed(r, error: ValueError):\n    return JSONResponse({'e': str(error)})  # BAD\n",
    "handler registered": S
    + "from starlette.applications import Starlette\nasync def failed(r, problem):\n    return JSONResponse({'e': str(problem)})  # BAD\napp = Starlette(exception_handlers={Exception: failed})\n",
    "handler added": S
    + "async def failed(r, problem):\n    return JSONResponse({'e': str(problem)})  # BAD\napp.add_exception_handler(Exception, failed)\n",
    "headers": S + T + "        return Response('no', headers={'X-Error': str(e)})  # BAD\n",
    "cookie": S + T + "        r = Response('no')\n        r.set_cookie('error', str(e))  # BAD\n        return r\n",
    "header set later": S
    + T
    + "        response = Response('no')\n        response.headers['X-Error'] = str(e)  # BAD\n        return response\n",
    "redirect": S + T + "        return RedirectResponse(f'/failed?why={e}')  # BAD\n",
    "template": "from starlette.templating import Jinja2Templates\ntemplates = Jinja2Templates('t')\n"
    + T
    + "        return templates.TemplateResponse(request, 'e.html', {'error': str(e)})  # BAD\n",
    "subclass of a response": S
    + "class Problem(JSONResponse):\n    pass\n"
    + T
    + "        return Problem({'e': str(e)})  # BAD\n",
    "returned from a route": F
    + "@app.get('/')\nasync def h():\n    try:\n        return work()\n    except Exception as e:\n        return {'e': str(e)}  # BAD\n",
    "HTTPException": F
    + "@app.get('/')\nasync def h():\n    try:\n        return work()\n    except Exception as e:\n        raise HTTPException(500, detail=str(e))  # BAD\n",
    "HTTPException by position": F
    + "@app.get('/')\nasync def h():\n    try:\n        return work()\n    except Exception as e:\n        raise HTTPException(500, f'{e}') from e  # BAD\n",
    "HTTPException's headers": "from starlette.exceptions import HTTPException\n"
    + T
    + "        raise HTTPException(500, headers={'X-Why': str(e)})  # BAD\n",
    "subclass of HTTPException": F
    + "class NotThere(HTTPException):\n    def __init__(self, why):\n        super().__init__(404, why)\n"
    + T
    + "        raise NotThere(str(e))  # BAD\n",
    "web socket text": F
    + "async def ws(websocket: WebSocket):\n    try:\n        work()\n    except Exception as e:\n        await websocket.send_text(str(e))  # BAD\n",
    "web socket json": F
    + "async def ws(websocket: WebSocket):\n    try:\n        work()\n    except Exception as e:\n        await websocket.send_json({'e': str(e)})  # BAD\n",
    "web socket close": F
    + "async def ws(websocket: WebSocket):\n    try:\n        work()\n    except Exception as e:\n        await websocket.close(code=1011, reason=str(e))  # BAD\n",
    "event stream": S
    + "async def events():\n    try:\n        yield work()\n    except Exception as e:\n        yield f'data: {e}'  # BAD\nasync def h(request):\n    return StreamingResponse(events())\n",
    "raw ASGI": "async def app(scope, receive, send):\n    try:\n        work()\n    except Exception as e:\n        await send({'type': 'http.response.body', 'body': str(e).encode()})  # BAD\n",
    "helper that makes a body": S
    + "def body(error):\n    return {'e': str(error)}\n"
    + T
    + "        return JSONResponse(body(e))  # BAD\n",
    "helper that responds": S
    + "def respond(text):\n    return JSONResponse({'e': text})\n"
    + T
    + "        return respond(str(e))  # BAD\n",
    "helper of a helper": S
    + "def respond(text):\n    return JSONResponse({'e': text})\ndef fail(error):\n    return respond(str(error))\n"
    + T
    + "        return fail(e)  # BAD\n",
    "helper that catches": S
    + "def attempt():\n    try:\n        return work()\n    except Exception as e:\n        return str(e)\nasync def h(request):\n    return JSONResponse({'r': attempt()})  # BAD\n",
    "method": S
    + "class H:\n    def fail(self, error):\n        return JSONResponse({'e': str(error)})\n    async def h(self, request):\n        try:\n            work()\n        except Exception as e:\n            return self.fail(e)  # BAD\n",
    "self attribute": S
    + "class H:\n    def __init__(self):\n        self.last = None\n    def work(self):\n        try:\n            work()\n        except Exception as e:\n            self.last = str(e)\n    async def h(self, request):\n        return JSONResponse({'e': self.last})  # BAD\n",
    "dataclass": S
    + "from dataclasses import dataclass, asdict\n@dataclass\nclass Body:\n    error: str\n"
    + T
    + "        return JSONResponse(asdict(Body(error=str(e))))  # BAD\n",
    "pydantic": F
    + "from pydantic import BaseModel\nclass Body(BaseModel):\n    error: str\n@app.get('/')\nasync def h():\n    try:\n        work()\n    except Exception as e:\n        return Body(error=str(e))  # BAD\n",
    "middleware": S
    + "class M:\n    async def dispatch(self, request, call_next):\n        try:\n            return await call_next(request)\n        except Exception as e:\n            return PlainTextResponse(str(e), status_code=500)  # BAD\n",
    "decorator": S
    + "import functools\ndef safe(f):\n    @functools.wraps(f)\n    async def wrapper(request):\n        try:\n            return await f(request)\n        except Exception as e:\n            return JSONResponse({'e': str(e)})  # BAD\n    return wrapper\n",
    "own error rendered": S
    + "class Failed(Exception):\n    def __init__(self, message):\n        self.message = message\ndef work():\n    try:\n        other()\n    except OSError as e:\n        raise Failed(str(e)) from e\nasync def on_failed(request, exc: Failed):\n    return JSONResponse({'e': exc.message})  # BAD\n",
    "own error as text": S
    + "class Failed(Exception):\n    pass\nasync def h(request):\n    try:\n        work()\n    except Failed as e:\n        return JSONResponse({'e': str(e)})  # BAD\n",
    "encoded": S + T + "        return Response(str(e).encode())  # BAD\n",
    "cut short": S + T + "        return PlainTextResponse(str(e)[:100])  # BAD\n",
    "json.dumps": S + "import json\n" + T + "        return Response(json.dumps({'e': str(e)}))  # BAD\n",
    "in a loop": S
    + "async def h(request):\n    errors = []\n    for one in request:\n        try:\n            work(one)\n        except Exception as e:\n            errors.append(f'{one}: {e}')\n    return JSONResponse(errors)  # BAD\n",
    "except star": S
    + "async def h(request):\n    try:\n        work()\n    except* ValueError as e:\n        text = str(e)\n    return PlainTextResponse(text)  # BAD\n",
    "exception in the content": F
    + "@app.get('/')\nasync def h():\n    try:\n        work()\n    except Exception as e:\n        return {'e': e}  # BAD\n",
}

GOOD = {
    "logging": S
    + "import logging\nlog = logging.getLogger()\n"
    + T
    + "        log.error('failed: %s', e)\n        log.exception('x')\n        return JSONResponse({'e': 'failed'})\n",
    "comparing": S
    + T
    + "        if 'x' in str(e):\n            return JSONResponse({'e': 'x'})\n        return JSONResponse({'e': str(e) == 'y'})\n",
    "re-raising": S + T + "        raise\n",
    "mapping": S
    + "TEXTS = {ValueError: 'bad value'}\n"
    + T
    + "        return JSONResponse({'e': TEXTS.get(type(e), 'failed')})\n",
    "mapping by text": S + "TEXTS = {'a': 'b'}\n" + T + "        return JSONResponse({'e': TEXTS[str(e)]})\n",
    "class name": S + T + "        return JSONResponse({'e': type(e).__name__})\n",
    "status of our own": S
    + "class Failed(Exception):\n    def __init__(self, slug):\n        self.slug = slug\n        self.detail = 'it failed'\nasync def on_failed(request, exc: Failed):\n    return JSONResponse({'e': exc.slug, 'd': exc.detail})\n",
    "authored message": S
    + "class Failed(Exception):\n    def __init__(self, message):\n        self.message = message\ndef f():\n    raise Failed('no such thing')\nasync def on_failed(request, exc: Failed):\n    return JSONResponse({'e': exc.message})\n",
    "sending elsewhere": "import httpx\n"
    + T
    + "        await httpx.AsyncClient().post('http://alerts', json={'e': str(e)})\n        return None\n",
    "gather filtered": S
    + "import asyncio\nasync def h(request):\n    results = await asyncio.gather(a(), return_exceptions=True)\n    good = [r for r in results if not isinstance(r, Exception)]\n    return JSONResponse(good)\n",
    "gather with continue": S
    + "import asyncio\nasync def h(request):\n    good = []\n    for r in await asyncio.gather(a(), return_exceptions=True):\n        if isinstance(r, BaseException):\n            continue\n        good.append(r)\n    return JSONResponse(good)\n",
    "HTTPException's own detail": S
    + "from starlette.exceptions import HTTPException\nasync def on_http(request, exc: HTTPException):\n    return JSONResponse({'detail': exc.detail}, status_code=exc.status_code, headers=exc.headers)\n",
    "own detail after assert": S
    + "from starlette.exceptions import HTTPException\nasync def on_http(request, exc: Exception):\n    assert isinstance(exc, HTTPException)\n    return JSONResponse({'detail': exc.detail}, headers=exc.headers)\n",
    "own detail after isinstance": S
    + "from starlette.exceptions import HTTPException\nasync def on_any(request, exc):\n    if isinstance(exc, HTTPException):\n        return JSONResponse({'detail': exc.detail})\n    return JSONResponse({'detail': 'failed'})\n",
    "own detail by match": S
    + "from starlette.exceptions import HTTPException\nasync def on_any(request, exc):\n    match exc:\n        case HTTPException(detail=text):\n            return JSONResponse({'detail': text})\n        case HTTPException() as known:\n            return JSONResponse({'detail': known.detail})\n    return JSONResponse({})\n",
    "field of our own through a helper": S
    + "class Stale(Exception):\n    def __init__(self, expected):\n        self.expected = expected\ndef conflict(exc):\n    return JSONResponse({'expected': exc.expected})\nasync def h(request):\n    try:\n        work()\n    except Stale as e:\n        return conflict(e)\n",
    "own headers through a helper that looks": S
    + "from starlette.exceptions import HTTPException\ndef refused(exc):\n    if isinstance(exc, HTTPException):\n        return JSONResponse({}, headers=exc.headers)\n    return JSONResponse({})\nasync def h(request):\n    try:\n        work()\n    except Exception as e:\n        return refused(e)\n",
    "told to the server": "import traceback\nasync def app(scope, receive, send):\n    try:\n        start()\n    except Exception:\n        await send({'type': 'lifespan.startup.failed', 'message': traceback.format_exc()})\n",
    "a text that is called error": S
    + "def refuse(request, error: str | None, status=302):\n    return RedirectResponse('/login?error=' + error, status_code=status)\n",
    "the base is filled, another is caught": S
    + "class Failed(Exception):\n    def __init__(self, text):\n        self.text = text\nclass Refused(Failed):\n    pass\ndef f():\n    try:\n        work()\n    except OSError as e:\n        raise Failed(str(e)) from e\nasync def h(request):\n    try:\n        f()\n    except Refused as e:\n        return JSONResponse({'e': e.text})\n",
    "helper that logs": S
    + "import logging\ndef note(error):\n    logging.error(str(error))\n"
    + T
    + "        note(e)\n        return JSONResponse({'e': 'failed'})\n",
    "helper that classifies": S
    + "def classify(error):\n    return 503 if isinstance(error, OSError) else 500\n"
    + T
    + "        return JSONResponse({}, status_code=classify(e))\n",
    "helper that names a code": S
    + "def code_of(error):\n    if isinstance(error, OSError):\n        return 'io'\n    return 'other'\n"
    + T
    + "        return JSONResponse({'code': code_of(e)})\n",
    "no handler": "def f():\n    try:\n        work()\n    except Exception as e:\n        return str(e)\n",
    "number": S + T + "        return JSONResponse({'n': len(str(e)), 'code': e.errno})\n",
    "overwritten": S + T + "        text = str(e)\n        text = 'failed'\n        return PlainTextResponse(text)\n",
    "stdout of a process": S
    + "import subprocess\nasync def h(request):\n    done = subprocess.run(['x'], capture_output=True, check=True)\n    return PlainTextResponse(done.stdout)\n",
    "own status": S
    + "async def h(request):\n    try:\n        r = work()\n    except Exception as e:\n        return JSONResponse({}, status_code=502)\n    return JSONResponse(r)\n",
    "upstream status": S
    + "import httpx\n"
    + T.replace("Exception", "httpx.HTTPStatusError")
    + "        return JSONResponse({'status': e.response.status_code})\n",
    "stored": S + T + "        await store(str(e))\n        return JSONResponse({'id': 7})\n",
    "closing a file": "def f(handle):\n    try:\n        work()\n    except Exception as e:\n        handle.close()\n        print(e)\n",
}


def _lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# BAD")]


def _finding_lines(project, files: dict[str, str], config: str = "[tool.plugport.lint]\n") -> dict[str, list[int]]:
    done = project({"pyproject.toml": config, **files}).json("--select", "PP002", "--no-cache")
    assert done.exit in {0, 1}, done.stderr
    lines: dict[str, set[int]] = {}
    for _, path, line in done.places:
        lines.setdefault(path, set()).add(line)
    return {path: sorted(numbers) for path, numbers in lines.items()}


def test_the_corpus_is_found_line_by_line(project):
    names = {f"case_{number}.py": (title, text) for number, (title, text) in enumerate([*BAD.items(), *GOOD.items()])}
    reported = _finding_lines(project, {name: text for name, (_, text) in names.items()})
    wrong = {
        title: (reported.get(name, []), _lines(text))
        for name, (title, text) in names.items()
        if reported.get(name, []) != _lines(text)
    }
    assert wrong == {}


def test_the_way_goes_through_other_modules(project):
    files = {
        "app/__init__.py": "",
        "app/errors.py": "class Failed(Exception):\n    def __init__(self, text):\n        self.text = text\n\n\n"
        "def body(error):\n    return {'e': str(error)}\n",
        "app/work.py": "from app.errors import Failed\n\n\ndef work():\n    try:\n        other()\n"
        "    except OSError as e:\n        raise Failed(str(e)) from e\n",
        "app/api.py": "from starlette.responses import JSONResponse\nfrom .errors import Failed, body\n\n\n"
        "async def h(request):\n    try:\n        work()\n    except Exception as e:\n"
        "        return JSONResponse(body(e))  # BAD\n\n\nasync def on_failed(r, error):\n"
        "    return JSONResponse({'e': error.text})  # BAD\n",
        "app/main.py": "from starlette.applications import Starlette\nfrom app import api\nfrom app.errors import Failed\n\n"
        "app = Starlette(exception_handlers={Failed: api.on_failed})\n",
    }
    assert _finding_lines(project, files) == {"app/api.py": _lines(files["app/api.py"])}


def test_what_a_package_offers_of_its_modules_is_known(project):
    files = {
        "app/__init__.py": "",
        "app/errors/__init__.py": "from .kinds import Failed, Missing\nfrom .texts import *\n",
        "app/errors/kinds.py": "class Failed(ValueError):\n    def __init__(self, text):\n        self.text = text\n\n\n"
        "class Missing(LookupError):\n    def __init__(self, name):\n        self.name = name\n",
        "app/errors/texts.py": "def body(error):\n    return {'e': str(error)}\n",
        "app/work.py": "from app.errors import Failed, Missing\n\n\ndef work(name):\n    try:\n        other()\n"
        "    except OSError as e:\n        raise Failed(str(e)) from e\n    raise Missing(name)\n",
        "app/face/__init__.py": "from app.errors import Failed, Missing\n",
        "app/last.py": "from starlette.responses import JSONResponse\nfrom app.face import Failed, Missing\n\n\n"
        "async def h(request):\n    try:\n        work()\n    except Missing as e:\n"
        "        return JSONResponse({'missing': e.name})\n    except Failed as e:\n"
        "        return JSONResponse({'e': e.text})  # BAD\n",
        "app/tools.py": "from app.errors import Failed as WorkError\n\n\ndef tool():\n    pass\n",
        "app/api.py": "from starlette.responses import JSONResponse\nfrom app.errors import Failed, Missing, body\n\n\n"
        "async def h(request):\n    try:\n        work()\n    except Missing as e:\n"
        "        return JSONResponse({'missing': e.name})\n    except Failed as e:\n"
        "        return JSONResponse({'e': e.text})  # BAD\n    except Exception as e:\n"
        "        return JSONResponse(body(e))  # BAD\n",
    }
    assert _finding_lines(project, files) == {name: _lines(files[name]) for name in ("app/api.py", "app/last.py")}


def test_what_another_module_defines_is_judged_once_all_is_known(project):
    files = {
        "app/__init__.py": "",
        "app/errors.py": "class Refused(Exception):\n    def __init__(self, rule):\n        self.rule = rule\n\n\n"
        "class Broken(Exception):\n    def __init__(self, text):\n        self.text = text\n\n\n"
        "class Failed(Exception):\n    def __init__(self, why):\n        self.why = why\n",
        "app/work.py": "from app.errors import Broken, Failed, Refused\n\n\ndef work(rule):\n    try:\n"
        "        raise Refused(rule)\n    except Refused as e:\n        raise Failed(e.rule) from e\n\n\n"
        "def load():\n    try:\n        open('x')\n    except OSError as e:\n        raise Broken(str(e)) from e\n\n\n"
        "def told():\n    try:\n        work('r')\n    except Refused as e:\n        return {'rule': e.rule}\n\n\n"
        "def raw():\n    try:\n        load()\n    except Broken as e:\n        return {'text': e.text}\n",
        "app/api.py": "from starlette.responses import JSONResponse\nfrom app.errors import Failed\n"
        "from app.work import raw, told, work\n\n\nasync def h(request):\n    try:\n        work('r')\n"
        "    except Failed as e:\n        return JSONResponse({'why': e.why})\n    if request.query_params:\n"
        "        return JSONResponse(told())\n    return JSONResponse(raw())  # BAD\n",
    }
    assert _finding_lines(project, files) == {"app/api.py": _lines(files["app/api.py"])}


def test_a_sanitizers_result_is_safe(project):
    text = S + "from app.errors import public\n" + T + "        return JSONResponse({'e': public(e)})\n"
    config = "[tool.plugport.lint]\nsanitizers = ['app.errors.public']\n"
    files = {"app/__init__.py": "", "app/errors.py": "def public(e):\n    return str(e)\n", "app/api.py": text}
    assert _finding_lines(project, files, config) == {}
    assert _finding_lines(project, files) == {"app/api.py": [7]}
