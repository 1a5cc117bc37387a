"""PP003 hook-mismatch: a hook implementation whose name, arguments or kind the specification does not know.

plugport refuses such a provider at load, so that the mistake shows when the service starts; this rule shows it when
the code is written. It follows plugport.hookspecs.providers.discovery, which is what refuses.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ...hookspecs import PROJECT
from ...hookspecs.providers.discovery import specifications
from ..engine.contract import JSON, Example, Finding, SourceFile, Span, Summaries

CODE = "PP003"
message = "a hook implementation whose name, arguments or kind the specification does not know"
reason = """plugport refuses a provider with an unknown hook, a wrong argument, a wrapper or a generator at load:
the service starts without that provider, and what it should have carried fails later, far away from the mistake.

An argument that the hook does not have is fine where it has a default; an argument that is left out is fine, too."""

INVALID = (
    Example(
        "from plugport.hookspecs import hookimpl\n\n\n@hookimpl\ndef delivr(workspace, bundle): ...\n",
        lines=(5,),
    ),
    Example(
        "from plugport.hookspecs import hookimpl as impl\n\n\n@impl\ndef deliver(workspace, package): ...\n",
        lines=(5,),
    ),
    Example(
        "import plugport.hookspecs as hooks\n\n\n@hooks.hookimpl(wrapper=True)\ndef deliver(workspace, bundle):\n"
        "    return (yield)\n",
        lines=(4,),
    ),
    Example(
        "import pluggy\n\nimpl = pluggy.HookimplMarker('plugport')\n\n\nclass Backend:\n    @impl\n"
        "    async def restart(self, *workspaces): ...\n",
        lines=(8,),
    ),
    Example(
        "from plugport.hookspecs import hookimpl\n\n\n@hookimpl\ndef list_installed(workspace):\n    yield 'a'\n",
        lines=(5,),
    ),
)
VALID = (
    Example("from plugport.hookspecs import hookimpl\n\n\n@hookimpl\nasync def deliver(bundle, workspace): ...\n"),
    Example("from plugport.hookspecs import hookimpl\n\n\n@hookimpl\ndef deliver(workspace, extra=None): ...\n"),
    Example(
        "from plugport.hookspecs import hookimpl\n\n\n@hookimpl(specname='restart')\ndef again(workspace): ...\n"
    ),
    Example("import pluggy\n\nimpl = pluggy.HookimplMarker('another')\n\n\n@impl\ndef delivr(): ...\n"),
    Example("def hookimpl(function):\n    return function\n\n\n@hookimpl\ndef delivr(): ...\n"),
)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MARKER_CLASSES = ("pluggy.HookimplMarker", "pluggy._hooks.HookimplMarker")
_Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
_WANTED = re.compile(rb"hookimpl|HookimplMarker|hookspecs")
_MARKERS = ("plugport.hookspecs.hookimpl", "plugport.hookspecs.specs.hookimpl")
_OPTIONS = frozenset({"hookwrapper", "optionalhook", "specname", "tryfirst", "trylast", "wrapper"})
_WRAPPERS = ("hookwrapper", "wrapper")


class HookMismatch:
    """The rule. A marker that another module of the project hands on is followed there."""

    def __init__(self, config: Mapping[str, JSON]) -> None:
        self._hooks = specifications()

    def wants(self, data: bytes) -> bool:
        """Files that can hold or hand on a marker."""
        return _WANTED.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """The names under which the module offers plugport's marker."""
        return sorted(_Names(file.ast(), None).markers) or None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Nothing: what is needed of another module is read from its summary."""
        return None

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Every implementation against its specification."""
        names = _Names(file.ast(), _Offers(file, summaries))
        for function, decorator, in_class in _implementations(file.ast(), names):
            for span, text in self._problems(file, function, decorator, in_class):
                yield Finding(CODE, file.relative, span, text)

    def _problems(
        self, file: SourceFile, function: _Function, decorator: ast.expr, in_class: bool
    ) -> Iterator[tuple[Span, str]]:
        options = {keyword.arg: keyword.value for keyword in _keywords(decorator) if keyword.arg is not None}
        head = _head(file, function)
        kind = replace(file.span(decorator), end_line=head.end_line, end_column=head.end_column)
        for option in sorted(options.keys() - _OPTIONS):
            yield kind, f"`{option}` is no option of hookimpl; it has {', '.join(sorted(_OPTIONS))}"
        hook = function.name
        if "specname" in options:
            given = options["specname"]
            if not isinstance(given, ast.Constant) or not isinstance(given.value, str | None):
                return  # known when it runs, and not before
            hook = given.value or hook
        if hook not in self._hooks:
            near = difflib.get_close_matches(hook, self._hooks, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(self._hooks))}"
            yield head, f"there is no hook `{hook}`{hint}"
            return
        if any(option in options and not _is_false(options[option]) for option in _WRAPPERS):
            yield kind, f"`{hook}` is a wrapper, which plugport does not call: implement the hook itself"
        elif any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)):
            yield head, f"`{hook}` is a generator: return the answer instead of yielding"
        if hook == "lint_rules" and isinstance(function, ast.AsyncFunctionDef):
            yield head, "`lint_rules` is asked outside of any loop: write `def`, not `async def`"
        yield from self._wrong_arguments(file, function, hook, in_class)

    def _wrong_arguments(
        self, file: SourceFile, function: _Function, hook: str, in_class: bool
    ) -> Iterator[tuple[Span, str]]:
        known = self._hooks[hook]
        listed = ", ".join(known) or "none"
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        required = positional[: len(positional) - len(arguments.defaults)]
        bound = in_class and not any(ast.unparse(item) == "staticmethod" for item in function.decorator_list)
        if bound and positional:
            positional, required = positional[1:], required[1:]
        keyword_only = [
            argument
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is None
        ]
        for argument in [*required, *keyword_only]:
            if argument.arg not in known:
                yield file.span(argument), f"`{hook}` has no argument `{argument.arg}`; it has: {listed}"
        for argument in arguments.posonlyargs[1 if bound else 0 :]:
            if argument.arg in known:
                yield file.span(argument), f"`{hook}` is called by name: `{argument.arg}` cannot be positional-only"
        for star, rest in (("*", arguments.vararg), ("**", arguments.kwarg)):
            if rest is not None:
                text = f"`{hook}` takes {star}{rest.arg}: name the arguments that it needs; it has: {listed}"
                yield file.span(rest), text


@dataclass(frozen=True, slots=True)
class _Offers:
    """What other modules of the project offer under their names."""

    file: SourceFile
    summaries: Summaries

    def is_marker(self, module: str, name: str) -> bool:
        offered = self.summaries.of_module(module)
        return isinstance(offered, list) and name in offered


class _Names:
    """The names of one module that are plugport's marker, however they came to be."""

    def __init__(self, tree: ast.Module, offers: _Offers | None) -> None:
        self._imported: dict[str, str] = {}
        self._offers = offers
        self._package: str | None = None
        self._constants: dict[str, str] = {}
        self.markers: set[str] = set()
        if offers is not None and offers.file.module is not None:
            initial = offers.file.relative.endswith("__init__.py")
            self._package = offers.file.module if initial else offers.file.module.rpartition(".")[0]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node)
        for statement in ast.walk(tree):
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                self._assign(statement)

    def is_marker(self, expression: ast.expr) -> bool:
        """Whether the expression is plugport's `hookimpl`, or a call of it."""
        if isinstance(expression, ast.Call):
            expression = expression.func
        if isinstance(expression, ast.Name) and expression.id in self.markers:
            return True
        dotted = self._dotted(expression)
        if dotted is None:
            return False
        if dotted in _MARKERS:
            return True
        module, _, name = dotted.rpartition(".")
        return bool(module) and self._offers is not None and self._offers.is_marker(module, name)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self._imported[alias.asname] = alias.name
            else:
                top = alias.name.partition(".")[0]
                self._imported[top] = top

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            if self._package is None:
                return
            parts = self._package.split(".")
            base = parts[: len(parts) - node.level + 1]
            module = ".".join([*base, module] if module else base)
        for alias in node.names:
            bound = alias.asname or alias.name
            self._imported[bound] = f"{module}.{alias.name}"
            offered = self._offers is not None and self._offers.is_marker(module, alias.name)
            if f"{module}.{alias.name}" in _MARKERS or offered:
                self.markers.add(bound)

    def _assign(self, statement: ast.Assign | ast.AnnAssign) -> None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        value = statement.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            self._constants.update(dict.fromkeys(names, value.value))
        elif isinstance(value, ast.Call) and self._dotted(value.func) in _MARKER_CLASSES:
            project = value.args[0] if value.args else next((k.value for k in value.keywords if k.arg), None)
            if project is not None and self._is_plugport(project):
                self.markers.update(names)
        elif value is not None and not isinstance(value, ast.Call) and self.is_marker(value):
            self.markers.update(names)

    def _is_plugport(self, project: ast.expr) -> bool:
        if isinstance(project, ast.Constant):
            return project.value == PROJECT
        if isinstance(project, ast.Name) and project.id in self._constants:
            return self._constants[project.id] == PROJECT
        return self._dotted(project) in ("plugport.hookspecs.PROJECT", "plugport.hookspecs.specs.PROJECT")

    def _dotted(self, expression: ast.expr) -> str | None:
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name) or expression.id not in self._imported:
            return None
        return ".".join([self._imported[expression.id], *reversed(parts)])


def _implementations(tree: ast.Module, names: _Names) -> Iterator[tuple[_Function, ast.expr, bool]]:
    """Every marked function with the decorator, and whether it is a method."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, in_class = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if names.is_marker(decorator):
                    yield node, decorator, in_class
                    break
        inside = isinstance(node, ast.ClassDef)
        method = inside or (in_class and not isinstance(node, _FUNCTIONS))
        stack.extend((child, method) for child in ast.iter_child_nodes(node))


def _keywords(decorator: ast.expr) -> list[ast.keyword]:
    return decorator.keywords if isinstance(decorator, ast.Call) else []


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value


def _head(file: SourceFile, function: _Function) -> Span:
    """The place of the function's name."""
    line = file.line(function.lineno)
    start = file.span(function).column
    column = line.find(function.name, start - 1) + 1
    if column <= 0:
        return Span(function.lineno, start, function.lineno, start + 1)
    return Span(function.lineno, column, function.lineno, column + len(function.name))


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """The nodes of the function's body without those of functions inside it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
