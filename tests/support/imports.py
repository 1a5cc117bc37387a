"""Reads which modules of ours a file imports: by statement, absolute or relative, and by string."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.source_tree import PACKAGES

NAMESPACE = "plugport"
_TEXT = re.compile(rf"\b{NAMESPACE}\.({'|'.join(PACKAGES)})\b")


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a tree whose folders are the packages of the namespace."""

    path: Path
    root: Path

    @property
    def name(self) -> str:
        """Return the installed name, as `plugport.core.app`."""
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return ".".join((NAMESPACE, *(parts[:-1] if parts[-1] == "__init__" else parts)))

    @property
    def package(self) -> str:
        """Return the package from which relative imports are resolved."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def tree(self) -> ast.Module:
        """Parse the file."""
        return ast.parse(self.path.read_text("utf-8"))

    def absolute(self, level: int, name: str) -> str:
        """Resolve a relative name: `absolute(2, "values")` is the `values` beside the own package."""
        parts = self.package.split(".")
        return ".".join([*parts[: len(parts) - level + 1], *filter(None, [name])])


def is_ours(name: str) -> bool:
    """Tell whether a dotted name lies in the namespace."""
    return name == NAMESPACE or name.startswith(f"{NAMESPACE}.")


def statement_imports(module: Module, node: ast.AST) -> list[str]:
    """Return the absolute names of ours that an import statement names; `from a import b` may mean `a` or `a.b`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if is_ours(alias.name)]
    if isinstance(node, ast.ImportFrom):
        base = module.absolute(node.level, node.module or "") if node.level else node.module or ""
        return [f"{base}.{alias.name}" for alias in node.names if is_ours(base)]
    return []


def text_imports(module: Module, tree: ast.Module) -> Iterator[str]:
    """Yield the packages of ours that strings name, as `import_module("plugport.core.app")` or `"plugport.core:x"`.

    A relative name in a call counts from the own package. Docstrings do not count.
    """
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from (f"{NAMESPACE}.{match[1]}" for match in _TEXT.finditer(node.value))
        elif isinstance(node, ast.Call) and node.args and _is_import_call(node.func):
            name = _literal_start(node.args[0])
            if name.startswith("."):
                stem = name.lstrip(".")
                yield module.absolute(len(name) - len(stem), stem)


def _is_import_call(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def _literal_start(node: ast.expr) -> str:
    """Return the literal text at the start of a string or of an f-string."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def imported_packages(module: Module) -> set[str]:
    """Return the folders that a module reaches from anywhere in it; `plugport` stands for the bare namespace."""
    tree = module.tree()
    names = [name for node in ast.walk(tree) for name in statement_imports(module, node)]
    names += text_imports(module, tree)
    return {name.split(".")[1] if "." in name else name for name in names if is_ours(name)}


def absolute_imports(module: Module) -> list[str]:
    """Return the lines on which a module imports something of ours by its absolute name."""
    lines = []
    for node in ast.walk(module.tree()):
        if not isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.ImportFrom) and node.level):
            continue
        if statement_imports(module, node):
            lines.append(f"{module.path.relative_to(module.root)}:{node.lineno}")
    return lines


def import_graph(modules: list[Module]) -> dict[str, set[str]]:
    """Return what each module imports while it is itself imported.

    Imports inside functions and below `if TYPE_CHECKING` do not count. An import of `a.b.c` also runs `a` and `a.b`,
    except for the packages that the importing module lies in, which run already.
    """
    names = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        own = set(_ancestors(module.name)) | {module.name}
        edges = graph.setdefault(module.name, set())
        for node in _run_at_import(module.tree().body):
            for name in statement_imports(module, node):
                target = name if name in names else name.rpartition(".")[0]
                edges |= ({target} | (set(_ancestors(target)) - own)) & names
        edges.discard(module.name)
    return graph


def _ancestors(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _run_at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _run_at_import(node.orelse)
            continue
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            yield from _run_at_import(getattr(node, field, []))


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph.get(name, ())):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            position = stack.index(name)
            group = stack[position:]
            del stack[position:]
            if len(group) > 1:
                groups.append(sorted(group))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return groups
