"""PP001 as a whole: names tell nothing, prefilters lose nothing, and a second question is seen however it is spelled."""

from __future__ import annotations

import builtins
import keyword
from pathlib import Path

import libcst as cst
import pytest
from support.corpus import Case, cases, judged, places_found

from plugport.lint_rules.engine.lint import Request, lint
from plugport.lint_rules.engine.source_file import SourceFile
from plugport.lint_rules.engine.tree import every_node
from plugport.lint_rules.rules.only_caller import OnlyCaller
from plugport.lint_rules.tables.doubles import DOUBLE_FIXTURES

CASES = cases("PP001")
ROOT = Path(__file__).resolve().parents[2]
BY_NAME = {"by name alone", "by name on state"}
"""Cases in which only a name says that a value is an engine's client."""
FIXED = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *DOUBLE_FIXTURES, "self", "cls"}


def _renamed(case: Case) -> dict[str, str] | None:
    """Return the files of a case with neutral names for all that its functions bind; None if there is nothing to
    rename, or a file is newer than this Python."""
    files: dict[str, str] = {}
    changed = False
    for path, text in case.files:
        tree = cst.parse_module(text)
        names = _local_names(tree)
        changed = changed or bool(names)
        files[path] = tree.visit(_Neutral({name: f"v{number}" for number, name in enumerate(sorted(names))})).code
    return files if changed else None


def _local_names(tree: cst.Module) -> set[str]:
    """Return the names of parameters and local variables that stand for nothing else in the module."""
    locals_of_functions: set[str] = set()
    others: set[str] = set()
    for node in every_node(tree):
        match node:
            case cst.FunctionDef() | cst.Lambda():
                params = [*node.params.posonly_params, *node.params.params]
                locals_of_functions |= {param.name.value for param in params}
                if isinstance(node, cst.FunctionDef):
                    is_fixture_user = node.name.value.startswith("test_") or any(
                        "fixture" in cst.Module([]).code_for_node(decorator) for decorator in node.decorators
                    )
                    others |= {node.name.value, *({param.name.value for param in params} if is_fixture_user else ())}
                    is_route = bool(node.decorators) and not is_fixture_user
                    others |= {param.name.value for param in params} if is_route else set()
                    locals_of_functions |= _assigned(node.body)
            case cst.Arg(keyword=cst.Name(value=name)) | cst.ClassDef(name=cst.Name(value=name)):
                others.add(name)
            case cst.ImportAlias():
                others |= {cst.Module([]).code_for_node(node).partition(".")[0].split()[-1], _bound(node)}
            case cst.Global(names=names):
                others |= {item.name.value for item in names}
    others |= _assigned(tree)
    return locals_of_functions - others - FIXED


def _bound(alias: cst.ImportAlias) -> str:
    name = alias.asname.name if alias.asname is not None else alias.name
    return name.value if isinstance(name, cst.Name) else ""


def _assigned(body: cst.CSTNode) -> set[str]:
    """Return the names that the statements of a body bind, without those in definitions inside."""
    names: set[str] = set()
    stack = [*body.children]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            continue
        targets: list[cst.CSTNode] = []
        if isinstance(node, cst.Assign):
            targets = [target.target for target in node.targets]
        elif isinstance(node, cst.AnnAssign | cst.NamedExpr | cst.For | cst.CompFor):
            targets = [node.target]
        elif isinstance(node, cst.AsName):
            targets = [node.name]
        names |= {inner.value for target in targets if isinstance(target, cst.Name | cst.Tuple)
                  for inner in every_node(target) if isinstance(inner, cst.Name)}  # fmt: skip
        stack += node.children
    return names


class _Neutral(cst.CSTTransformer):
    """Renames names, but not attributes and keywords of calls."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self._names = names

    def visit_Attribute_attr(self, node: cst.Attribute) -> None:
        self._saved = self._names
        self._names = {}

    def leave_Attribute_attr(self, node: cst.Attribute) -> None:
        self._names = self._saved

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self._names.get(updated_node.value, updated_node.value))


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in CASES if not case.missed and case.name not in BY_NAME]
)
def test_the_same_code_with_neutral_names_gives_the_same_findings(case: Case) -> None:
    files = _renamed(case)
    if files is None:
        return
    lines = {path: text.count("\n") for path, text in case.files}
    assert {path: text.count("\n") for path, text in files.items()} == lines
    assert places_found(case, files) == judged(case)


def test_with_every_prefilter_off_the_findings_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {case.id: judged(case) for case in CASES}
    monkeypatch.setattr(OnlyCaller, "wants", lambda self, data: True)
    monkeypatch.setattr(OnlyCaller, "reads", lambda self, file, linked, summaries: True)
    monkeypatch.setattr(OnlyCaller, "_is_wanted", lambda self, data: True)
    assert {case.id: places_found(case) for case in CASES} == before


def test_the_visitor_alone_finds_what_a_module_does() -> None:
    case = next(case for case in CASES if case.name == "behind sudo")
    rule = OnlyCaller({"only-caller": [{"preset": "docker-inspect", "allow": []}]})
    path, text = case.files[0]
    file = SourceFile(Path(path), path, "example", text.encode())
    visitor = rule.opened(file, None, None)  # type: ignore[arg-type]
    file.tree().visit(visitor)
    assert [finding.span.line for finding in visitor.findings] == [line for _, line in case.bad]


SPELLINGS = {
    "the client": "import docker\n\n\ndef second(x):\n    return docker.from_env().containers.get(x).status\n",
    "an alias": "from docker import from_env as y\n\n\ndef second(x):\n    return y().containers.get(x)\n",
    "the low level": "def second(y, x):\n    return y.inspect_container(x)\n",
    "getattr": "import docker\n\n\ndef second(x):\n    return getattr(docker.APIClient(), 'inspect_' + 'container')(x)\n",
    "importlib": "import importlib\n\n\ndef second(x):\n"
    "    return importlib.import_module('docker').from_env().containers.get(x)\n",
    "an annotation": "import docker\n\n\ndef second(y: 'docker.DockerClient', x):\n    return y.containers.get(x)\n",
    "a container": "from docker.models.containers import Container\n\n\ndef second(x: Container | None):\n"
    "    return x is not None and x.status\n",
    "a list": "import docker\n\n\ndef second():\n"
    "    return [x.attrs for _, x in enumerate(docker.from_env().containers.list())]\n",
    "a context manager": "from contextlib import closing\nimport docker\n\n\ndef second(x):\n"
    "    with closing(docker.from_env()) as y:\n        return y.containers.get(x)\n",
    "an optional import": "try:\n    import docker\nexcept ImportError:\n    docker = None\n\n\ndef second(x):\n"
    "    return docker.from_env().containers.get(x)\n",
    "a global": "import docker\n\ny = None\n\n\ndef start():\n    global y\n    y = docker.from_env()\n\n\n"
    "def second(x):\n    return y.containers.get(x)\n",
    "a thread": "import asyncio\nimport docker\n\ny = docker.from_env()\n\n\nasync def second(x):\n"
    "    return await asyncio.to_thread(y.containers.get, x)\n",
    "a process": "import subprocess\n\n\ndef second(x):\n    return subprocess.run(['docker', 'inspect', x])\n",
    "sudo": "import subprocess\n\n\ndef second(x):\n    return subprocess.run(['sudo', '-n', 'docker', 'inspect', x])\n",
    "ssh": "import subprocess\n\n\ndef second(h, x):\n    return subprocess.run(['ssh', h, f'docker inspect {x}'])\n",
    "a shell": "import subprocess\n\n\ndef second(d, x):\n"
    "    return subprocess.run(f'cd {d} && docker inspect {x}', shell=True)\n",
    "an own runner": "import subprocess\n\n\ndef go(*y):\n    return subprocess.run(['docker', *y])\n\n\n"
    "def second(x):\n    return go('inspect', x)\n",
    "a route": "import httpx\n\n\ndef second(x):\n    return httpx.get(f'http://engine/containers/{x}/json')\n",
    "an own request": "import requests\n\n\ndef ask(p):\n    return requests.get('http://e' + p, timeout=1)\n\n\n"
    "def second(x):\n    return ask(f'/containers/{x}/json')\n",
    "aiodocker": "import aiodocker\n\n\nasync def second(x):\n    async with aiodocker.Docker() as y:\n"
    "        return await (await y.containers.get(x)).show()\n",
    "podman": "import podman\n\n\ndef second(x):\n    with podman.PodmanClient() as y:\n"
    "        return y.containers.get(x).inspect()\n",
}
TREE = ("builtin_backends/docker", "core/operations")


@pytest.fixture(scope="module")
def with_second_questions(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Rule and path of the findings over a copy of the engine's backend, with every spelling in both places."""
    folder = tmp_path_factory.mktemp("copy")
    for tree in TREE:
        for path in (ROOT / tree).glob("*.py"):
            (folder / tree).mkdir(parents=True, exist_ok=True)
            (folder / tree / path.name).write_bytes(path.read_bytes())
        for number, text in enumerate(SPELLINGS.values()):
            (folder / tree / f"second_{number}.py").write_text(text)
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    report = lint(Request(cache=False, select=("PP001",), working_directory=folder))
    assert not report.failures
    return {(finding.rule, finding.path) for finding in report.findings}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("tree", TREE)
def test_a_second_question_is_seen_in_every_spelling(with_second_questions, tree, spelling) -> None:
    number = list(SPELLINGS).index(spelling)
    assert ("PP001", f"{tree}/second_{number}.py") in with_second_questions


def test_the_code_around_the_second_questions_is_clean(with_second_questions) -> None:
    assert {path for _, path in with_second_questions if "/second_" not in path} == set()
