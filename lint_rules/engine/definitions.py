"""Finds out whether a dotted name means something: in the project's files, or in what is installed beside them.

It reads and imports nothing but the modules on the way to the name, and those as text. What only a run can tell (a
module's `__getattr__`, a base class that cannot be outcome, a compiled module) counts as there.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .errors import Unparsable
from .source_file import SourceFile

_DEEPEST = 12
"""Imports that are followed from one name."""
_BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.ExceptHandler, ast.Match)
_Found = bool | None
"""Whether a name is there; None if only a run can tell."""


class _Module(NamedTuple):
    name: str
    body: Sequence[ast.stmt] | None
    is_package: bool


class Definitions:
    """The names of a project and of what is installed."""

    def __init__(self, files: Mapping[str, SourceFile]) -> None:
        self._files = files
        self._by_module = {file.module: file for file in files.values() if file.module is not None}
        self._modules: dict[str, _Module | None] = {}
        self._imported: bool | None = None

    def has(self, dotted: str) -> bool:
        """Return whether a dotted name means something. A name without a dot is that of a function or a method of any
        module, or a builtin. What the project imports from a package that is not installed here counts as there."""
        if "." not in dotted:
            return hasattr(builtins, dotted) or self._is_defined_anywhere(dotted)
        return self._find(dotted, 0) is not False or self._is_imported_from_elsewhere(dotted)

    def has_function(self, path: str, name: str, root: Path) -> bool:
        """Return whether a file (relative to the root) has a module-level function, or `Class.method`."""
        body = self._body_of_path(path, root)
        if body is None:
            return True
        first, _, method = name.partition(".")
        for node in _statements(body):
            if method and isinstance(node, ast.ClassDef) and node.name == first:
                if any(_names_function(inner, method) for inner in _statements(node.body)):
                    return True
            elif not method and _names_function(node, first):
                return True
        return False

    def names(self) -> Iterator[str]:
        """Yield the dotted names of the project's functions, classes and methods, to find what was meant."""
        for module in self._by_module:
            for qualified in self.functions(module):
                yield f"{module}.{qualified}"

    def functions(self, module: str) -> list[str]:
        """Return the functions, the classes and, as `Class.method`, the methods of a module."""
        read = self._module(module)
        return _qualified(read.body) if read is not None and read.body is not None else []

    def functions_of_path(self, path: str, root: Path) -> list[str]:
        """Return the same for a file."""
        return _qualified(self._body_of_path(path, root) or ())

    def _find(self, dotted: str, depth: int) -> _Found:
        parts = dotted.split(".")
        if depth > _DEEPEST:
            return None
        for length in range(len(parts), 0, -1):
            module = self._module(".".join(parts[:length]))
            if module is not None:
                return True if length == len(parts) else self._member(module, parts[length:], depth)
        return False

    def _member(self, module: _Module, path: Sequence[str], depth: int) -> _Found:
        if module.body is None:
            return None
        name, rest = path[0], path[1:]
        answer: _Found = False
        for node in _statements(module.body):
            if isinstance(node, ast.ClassDef) and node.name == name:
                return self._attribute(module, node, rest, depth) if rest else True
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in {name, "__getattr__"}:
                answer = None if node.name == "__getattr__" else answer or not rest
            elif isinstance(node, ast.Import | ast.ImportFrom):
                outcome = self._import(module, node, path, depth)
                answer = outcome if outcome is not False else answer
            elif name in _assigned(node):
                answer = None
        return answer

    def _import(self, module: _Module, node: ast.Import | ast.ImportFrom, path: Sequence[str], depth: int) -> _Found:
        for alias in node.names:
            bound = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0])
            if isinstance(node, ast.Import):
                if bound == path[0]:
                    target = alias.name if alias.asname else bound
                    return self._reached(".".join([target, *path[1:]]), depth)
                continue
            base = _base(module, node)
            if alias.name == "*":
                outcome = self._reached(".".join([base, *path]), depth)
                if outcome is not False:
                    return outcome
            elif bound == path[0]:
                return self._reached(".".join([base, alias.name, *path[1:]]), depth)
        return False

    def _reached(self, dotted: str, depth: int) -> _Found:
        """Follow an import: what is not installed may have anything."""
        outcome = self._find(dotted, depth + 1)
        return None if outcome is False and self._module(dotted.partition(".")[0]) is None else outcome

    def _attribute(self, module: _Module, owner: ast.ClassDef, path: Sequence[str], depth: int) -> _Found:
        if depth > _DEEPEST:
            return None
        for node in _statements(owner.body):
            if isinstance(node, ast.ClassDef) and node.name == path[0]:
                return self._attribute(module, node, path[1:], depth + 1) if path[1:] else True
            if _names_function(node, path[0]) or path[0] in _assigned(node):
                return True
            if _names_function(node, "__getattr__"):
                return None
        answers = [self._base_has(module, base, path, depth) for base in owner.bases]
        return True if True in answers else None if None in answers else False

    def _base_has(self, module: _Module, base: ast.expr, path: Sequence[str], depth: int) -> _Found:
        inner = base.value if isinstance(base, ast.Subscript) else base
        name = ast.unparse(inner)
        if not re.fullmatch(r"[\w.]+", name):
            return None
        if name in {"object", "Protocol", "ABC"}:
            return False
        if hasattr(builtins, name) and self._member(module, [name], depth + 1) is False:
            return hasattr(getattr(builtins, name), path[0])
        outcome = self._member(module, [*name.split("."), *path], depth + 1)
        return None if outcome is False and self._member(module, name.split("."), depth + 1) is False else outcome

    def _module(self, dotted: str) -> _Module | None:
        if dotted not in self._modules:
            file = self._by_module.get(dotted)
            if file is not None:
                self._modules[dotted] = _Module(dotted, _body(file), file.relative.endswith("__init__.py"))
            elif any(name.startswith(f"{dotted}.") for name in self._by_module):
                self._modules[dotted] = _Module(dotted, (), True)  # a namespace
            else:
                self._modules[dotted] = _installed(dotted)
        return self._modules[dotted]

    def _body_of_path(self, path: str, root: Path) -> Sequence[ast.stmt] | None:
        file = self._files.get(path)
        if file is None:
            try:
                file = SourceFile(root / path, path, None, (root / path).read_bytes())
            except OSError:
                return ()
        return _body(file)

    def _is_defined_anywhere(self, name: str) -> bool:
        pattern = re.compile(
            rb"\b(?:def|class|import|as)\s+" + re.escape(name).encode() + rb"\b|\b" + name.encode() + rb"\s*,"
        )
        return any(pattern.search(file.data) for file in self._files.values())

    def _is_imported_from_elsewhere(self, dotted: str) -> bool:
        top = dotted.partition(".")[0]
        if self._module(top) is not None:
            return False
        pattern = re.compile(rb"^\s*(?:from|import)\s+" + re.escape(top).encode() + rb"\b", re.MULTILINE)
        return any(pattern.search(file.data) for file in self._files.values())


def _installed(dotted: str) -> _Module | None:
    """Return a module that is installed here; it is read, not imported."""
    top, *rest = dotted.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    file, folders = spec.origin, list(spec.submodule_search_locations or ())
    for part in rest:
        places = [Path(folder) / part for folder in folders]
        packages = [place for place in places if place.is_dir()]
        sources = [source for place in places if (source := place.with_suffix(".py")).is_file()]
        if not packages and not sources:
            return _Module(dotted, None, False) if any(_compiled(Path(folder), part) for folder in folders) else None
        file = str(packages[0] / "__init__.py" if packages else sources[0])
        folders = [str(place) for place in packages]
    if file is None or not Path(file).is_file():
        return _Module(dotted, () if folders else None, bool(folders))
    if not file.endswith(".py"):
        return _Module(dotted, None, bool(folders))
    return _Module(dotted, _body(SourceFile(Path(file), file, dotted, Path(file).read_bytes())), bool(folders))


def _compiled(folder: Path, part: str) -> bool:
    return any(folder.glob(f"{part}.*.so")) or any(folder.glob(f"{part}.*.pyd"))


def _body(file: SourceFile) -> Sequence[ast.stmt] | None:
    try:
        return file.ast().body
    except Unparsable:
        return None


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body, those inside `if`, `try` and such as well."""
    for node in body:
        yield node
        if isinstance(node, _BLOCKS):
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                for part in getattr(node, field, ()):
                    yield from _statements([part] if isinstance(part, ast.stmt) else part.body)


def _names_function(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name


def _assigned(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.With | ast.Expr):
        return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return {node.name.id} if hasattr(ast, "TypeAlias") and isinstance(node, ast.TypeAlias) else set()


def _qualified(body: Sequence[ast.stmt]) -> list[str]:
    names = []
    for node in _statements(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (
                inner for inner in _statements(node.body) if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            names += [f"{node.name}.{method.name}" for method in methods]
    return names


def _base(module: _Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    parts = package[: len(package) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])
