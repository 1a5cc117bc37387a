"""PP001 on a labelled corpus: every line that ends in `# BAD` is a finding, and no other line is."""

from __future__ import annotations

import pytest

CONFIG = """\
[[tool.plugport.lint.only-caller]]
preset = "docker-inspect"
allow = ["running.py::container_state", "engine.py::Engine.state"]
[[tool.plugport.lint.only-caller]]
preset = "docker-list"
allow = ["running.py::container_state"]
"""

BAD = {
    "direct": "import docker\ndocker.from_env().containers.get('x')  # BAD\n",
    "module alias": "import docker as d\nd.from_env().containers.get('x')  # BAD\n",
    "function alias": "from docker import from_env as fe\nfe().containers.get('x')  # BAD\n",
    "class alias": "from docker import DockerClient as C\nC().containers.get('x')  # BAD\n",
    "submodule": "import docker.client\ndocker.client.DockerClient().containers.get('x')  # BAD\n",
    "module global": "import docker\nclient = docker.from_env()\ndef f():\n    return client.containers.get('x')  # BAD\n",
    "collection kept": "import docker\ncs = docker.from_env().containers\ncs.get('x')  # BAD\n",
    "bound method kept": "import docker\nget = docker.from_env().containers.get  # BAD\nget('x')\n",
    "on self": "import docker\nclass A:\n    def __init__(self):\n        self.c = docker.from_env()\n    def f(self):\n        return self.c.containers.get('x')  # BAD\n",
    "on self of another class": "import docker\nclass A:\n    def __init__(self):\n        self.c = docker.from_env()\nclass B:\n    def __init__(self):\n        self.a = A()\n    def f(self):\n        return self.a.c.containers.get('x')  # BAD\n",
    "class attribute": "import docker\nclass A:\n    c = docker.from_env()\n    def f(self):\n        return self.c.containers.get('x')  # BAD\n",
    "dataclass field": "import docker\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    c: docker.DockerClient\n    def f(self):\n        return self.c.containers.get('x')  # BAD\n",
    "parameter to self": "import docker\nclass A:\n    def __init__(self, c: docker.DockerClient):\n        self.c = c\n    def f(self):\n        return self.c.containers.get('x')  # BAD\n",
    "annotated parameter": "import docker\ndef f(c: docker.DockerClient):\n    return c.containers.get('x')  # BAD\n",
    "text annotation": "import docker\ndef f(c: 'docker.DockerClient'):\n    return c.containers.get('x')  # BAD\n",
    "optional annotation": "import docker\ndef f(c: docker.DockerClient | None):\n    return c.containers.get('x')  # BAD\n",
    "Optional annotation": "import docker\nfrom typing import Optional\ndef f(c: Optional[docker.DockerClient]):\n    return c.containers.get('x')  # BAD\n",
    "type checking import": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from docker import DockerClient\ndef f(c: 'DockerClient'):\n    return c.containers.get('x')  # BAD\n",
    "annotated container": "from docker.models.containers import Container\ndef f(c: Container):\n    c.reload()  # BAD\n    return c.status  # BAD\n",
    "list of containers": "from docker.models.containers import Container\ndef f(cs: list[Container]):\n    return [c.attrs for c in cs]  # BAD\n",
    "factory": "import docker\ndef make():\n    return docker.from_env()\nmake().containers.get('x')  # BAD\n",
    "annotated factory": "import docker\ndef make() -> docker.DockerClient:\n    ...\nmake().containers.get('x')  # BAD\n",
    "factory method": "import docker\nclass A:\n    def make(self):\n        return docker.from_env()\n    def f(self):\n        return self.make().containers.get('x')  # BAD\n",
    "property": "import docker\nclass A:\n    @property\n    def c(self):\n        return docker.from_env()\n    def f(self):\n        return self.c.containers.get('x')  # BAD\n",
    "context manager": "import docker, contextlib\nwith contextlib.closing(docker.from_env()) as c:\n    pass\nwith docker.DockerClient() as d:\n    d.containers.get('x')  # BAD\n",
    "own context manager": "import docker\nfrom contextlib import contextmanager\n@contextmanager\ndef opened():\n    c = docker.from_env()\n    yield c\nwith opened() as c:\n    c.containers.get('x')  # BAD\n",
    "tuple unpacking": "import docker\nc, n = docker.from_env(), 1\nc.containers.get('x')  # BAD\n",
    "walrus": "import docker\nif (c := docker.from_env()):\n    c.containers.get('x')  # BAD\n",
    "getattr": "import docker\ngetattr(docker.from_env().containers, 'get')('x')  # BAD\n",
    "getattr of the collection": "import docker\ngetattr(docker.from_env(), 'containers').get('x')  # BAD\n",
    "partial": "import docker, functools\nf = functools.partial(docker.from_env().containers.get, 'x')  # BAD\n",
    "to_thread": "import docker, asyncio\nasync def f(c: docker.DockerClient):\n    return await asyncio.to_thread(c.containers.get, 'x')  # BAD\n",
    "through to_thread": "import docker, asyncio\nasync def f(c: docker.DockerClient):\n    one = await asyncio.to_thread(c.containers.create, 'x')\n    return one.status  # BAD\n",
    "lambda": "import docker\nc = docker.from_env()\nf = lambda n: c.containers.get(n)  # BAD\n",
    "comprehension": "import docker\ndef f(c: docker.DockerClient):\n    return {x.id: x.status for x in [c.containers.run('x')]}  # BAD\n",
    "passed into a helper": "import docker\ndef ask(c, n):\n    return c.containers.get(n)  # BAD\ndef f():\n    return ask(docker.from_env(), 'x')\n",
    "container passed into a helper": "import docker\ndef show(c):\n    return c.status  # BAD\ndef f(client: docker.DockerClient):\n    return show(client.containers.create('x'))\n",
    "keyword into a helper": "import docker\ndef ask(n, c=None):\n    return c.containers.get(n)  # BAD\nask('x', c=docker.from_env())\n",
    "route from parts": "import requests\ndef f(n):\n    return requests.get('/'.join(['http:/', 'engine', 'containers', n, 'json']))  # BAD\n",
    "subclass": "import docker\nclass Mine(docker.DockerClient):\n    def f(self):\n        return self.containers.get('x')  # BAD\nMine().containers.get('y')  # BAD\n",
    "conditional": "import docker\nc = docker.from_env() if True else None\nc.containers.get('x')  # BAD\n",
    "or": "import docker\ndef f(c=None):\n    c = c or docker.from_env()\n    return c.containers.get('x')  # BAD\n",
    "low level": "import docker\ndocker.APIClient().inspect_container('x')  # BAD\n",
    "low level through api": "import docker\ndocker.from_env().api.inspect_container('x')  # BAD\n",
    "low level of nobody known": "def f(api):\n    return api.inspect_container('x')  # BAD\n",
    "by name alone": "def f(docker_client):\n    return docker_client.containers.get('x')  # BAD\n",
    "by name on state": "async def f(request):\n    return request.app.state.docker.containers.get('x')  # BAD\n",
    "aiodocker": "import aiodocker\nasync def f():\n    d = aiodocker.Docker()\n    c = await d.containers.get('x')  # BAD\n    return await c.show()  # BAD\n",
    "aiodocker container()": "from aiodocker import Docker\nasync def f(d: Docker):\n    return await d.containers.container('x').show()  # BAD\n",
    "route": "import requests\nrequests.get('http://x/containers/abc/json')  # BAD\n",
    "route in an f-string": "import httpx\ndef f(i):\n    return httpx.get(f'http://x/v1.41/containers/{i}/json')  # BAD\n",
    "route put together": "import requests\ndef f(i):\n    return requests.get('http://x/containers/' + i + '/json')  # BAD\n",
    "route by percent": "import requests\ndef f(i):\n    return requests.get('http://x/containers/%s/json' % i)  # BAD\n",
    "route by format": "import requests\ndef f(i):\n    return requests.get('http://x/containers/{}/json'.format(i))  # BAD\n",
    "route in a variable": "import requests\ndef f(i):\n    url = f'http://x/containers/{i}/json'\n    return requests.get(url)  # BAD\n",
    "route on a session": "import aiohttp\nasync def f(s: aiohttp.ClientSession, i):\n    async with s.get(f'http://x/containers/{i}/json') as r:  # BAD\n        return r\n",
    "route by http.client": "import http.client\ndef f(c: http.client.HTTPConnection, i):\n    c.request('GET', f'/containers/{i}/json')  # BAD\n",
    "route on a socket": "import socket\ndef f(s, i):\n    s.sendall(f'GET /containers/{i}/json HTTP/1.1'.encode())  # BAD\n",
    "inspect as a process": "import subprocess\nsubprocess.run(['docker', 'inspect', 'x'])  # BAD\n",
    "inspect in a shell": "import subprocess\nsubprocess.check_output('docker inspect x', shell=True)  # BAD\n",
    "container inspect": "import subprocess\nsubprocess.run(['/usr/bin/docker', 'container', 'inspect', 'x'])  # BAD\n",
    "inspect with options": "import subprocess\nsubprocess.run(['docker', '-H', 'tcp://x', 'inspect', 'x'])  # BAD\n",
    "inspect by asyncio": "import asyncio\nasync def f(n):\n    await asyncio.create_subprocess_exec('docker', 'inspect', n)  # BAD\n",
    "inspect by os.system": "import os\ndef f(n):\n    os.system(f'docker inspect {n}')  # BAD\n",
    "inspect in a variable": "import subprocess\ndef f(n):\n    cmd = ['docker', 'inspect', n]\n    return subprocess.run(cmd)  # BAD\n",
    "inspect and more": "import subprocess\ndef f(ns):\n    return subprocess.run(['docker', 'inspect'] + ns)  # BAD\n",
    "list": "import docker\ndocker.from_env().containers.list(all=True)  # BAD\n",
    "low-level list": "import docker\ndocker.APIClient().containers(filters={})  # BAD\n",
    "list by route": "import requests\nrequests.get('http://x/containers/json?all=1')  # BAD\n",
    "method of the same name elsewhere": "import docker\nclass Other:\n    def container_state(self):\n        return docker.from_env().containers.get('x')  # BAD\n",
}

GOOD = {
    "dict": "def f(d):\n    return d.get('x'), {}.get(1)\n",
    "requests": "import requests\nrequests.get('http://x/images/json')\n",
    "images": "import docker\ndocker.from_env().images.get('x')\ndocker.from_env().networks.get('x')\n",
    "exec": "import docker\ndef f(c: docker.models.containers.Container):\n    c.exec_run('x'), c.stop(), c.logs(), c.id, c.name\n",
    "own get and status": "class Own:\n    status = 1\n    def get(self):\n        return self.status\nOwn().get(); Own().status\n",
    "own containers": "class Own:\n    def __init__(self):\n        self.containers = {}\n    def f(self):\n        return self.containers.get('x')\n",
    "own client": "import docker\nclass Client:\n    def __init__(self):\n        self.containers = {}\ndef f():\n    return Client().containers.get('x')\n",
    "response status": "import httpx\ndef f():\n    r = httpx.get('http://x')\n    return r.status, r.reload\n",
    "logging a route": "import logging\nlog = logging.getLogger()\nlog.info('GET /containers/%s/json', 1)\n",
    "own route": "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/containers/{id}/json')\ndef f(id):\n    return {}\n",
    "a text": "TEXT = 'docker inspect x'\n'''docker.from_env().containers.get('x')'''\n",
    "other commands": "import subprocess\nsubprocess.run(['docker', 'pull', 'x'])\nsubprocess.run(['git', 'inspect'])\n",
    "image inspect": "import subprocess\nsubprocess.run(['docker', 'image', 'inspect', 'x'])\n",
    "inspect the module": "import inspect\ninspect.signature(print)\n",
    "setting a status": "import docker\nclass A:\n    def f(self):\n        self.status = 'x'\n",
}


def _lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# BAD")]


def _finding_lines(project, files: dict[str, str]) -> dict[str, list[int]]:
    done = project({"pyproject.toml": CONFIG, **files}).json("--select", "PP001", "--no-cache")
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


def test_only_the_named_function_may(project):
    allowed = (
        "import docker\n\n\ndef container_state(name):\n    def ask():\n"
        "        return docker.from_env().containers.get(name).status\n    return ask()\n\n\n"
        "def other(name):\n    return docker.from_env().containers.get(name)  # BAD\n"
    )
    method = (
        "import docker\n\n\nclass Engine:\n    def state(self):\n        return docker.from_env().containers.get('x')\n\n"
        "    def other(self):\n        return docker.from_env().containers.get('x')  # BAD\n\n\n"
        "class Another:\n    def state(self):\n        return docker.from_env().containers.get('x')  # BAD\n"
    )
    files = {"running.py": allowed, "engine.py": method, "sub/running.py": allowed.replace("  # BAD", "")}
    reported = _finding_lines(project, files)
    assert reported == {"running.py": _lines(allowed), "engine.py": _lines(method), "sub/running.py": [6, 11]}


def test_a_client_of_another_module_is_seen(project):
    files = {
        "app/__init__.py": "",
        "app/clients.py": "import docker\n\nclient = docker.from_env()\n\n\ndef make():\n    return docker.from_env()\n",
        "app/use.py": "from app.clients import client, make\nfrom .clients import make as again\nfrom app import clients\n"
        "client.containers.get('x')  # BAD\nmake().containers.get('x')  # BAD\n"
        "again().containers.get('x')  # BAD\nclients.client.containers.get('x')  # BAD\n",
    }
    assert _finding_lines(project, files) == {"app/use.py": _lines(files["app/use.py"])}


def test_a_module_that_is_imported_from_its_own_package_is_known(project):
    files = {
        "app/__init__.py": "",
        "app/engine/__init__.py": "",
        "app/engine/clients.py": "import docker\n\nclient = docker.from_env()\n",
        "app/engine/use.py": "from . import clients\nfrom .. import engine\nclients.client.containers.get('x')  # BAD\n"
        "engine.clients.client.containers.get('x')  # BAD\n",
    }
    assert _finding_lines(project, files) == {"app/engine/use.py": _lines(files["app/engine/use.py"])}


@pytest.mark.parametrize(
    "table",
    [
        "preset = 'nothing'",
        "allow = []",
        "preset = 'docker-list'\nallow = ['x']",
        "calls = 7",
        "preset = 'docker-list'\nx = 1",
    ],
)
def test_a_table_that_cannot_be_used_is_exit_2(project, table):
    text = f"[[tool.plugport.lint.only-caller]]\n{table}\n"
    assert project({"pyproject.toml": text, "a.py": "x = 1\n"}).json().exit == 2
