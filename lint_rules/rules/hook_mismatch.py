"""PP003 hook-mismatch: a hook implementation whose name, arguments or kind the specification does not know.

plugport refuses such a provider at load, so that the mistake shows when the service starts; this rule shows it when
the code is written. Both judge by plugport.hookspecs.providers.validity.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ...hookspecs import PROJECT
from ...hookspecs.providers.validity import OPTIONS, Shape, faults, implemented_twice, specifications
from ..engine.contract import JSON, Example, Finding, SourceFile, Span, Summaries

CODE = "PP003"
message = "a hook implementation whose name, arguments or kind the specification does not know"
reason = """plugport refuses a provider with an unknown hook, a wrong argument, a wrapper or a generator at load:
the service starts without that provider, and what it should have carried fails later, far away from the mistake.

An argument that the hook does not have is fine if it has a default; an argument that is left out is fine, too. A hook
that plugport does not have is fine with `optionalhook=True`: it is ignored."""

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
_Marked: TypeAlias = "tuple[ast.AST, str | None, _Function, ast.expr]"
_WANTED = re.compile(rb"hookimpl|HookimplMarker|hookspecs")
_MARKERS = ("plugport.hookspecs.hookimpl", "plugport.hookspecs.specs.hookimpl")
_BINDERS = ("classmethod", "staticmethod")


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
        marked = [
            (container, _hook(function, decorator), function, decorator)
            for function, decorator, container in _implementations(file.ast(), names)
        ]
        for container, hook, function, decorator in marked:
            for span, text in self._problems(file, function, decorator, hook, isinstance(container, ast.ClassDef)):
                yield Finding(CODE, file.relative, span, text)
        for function, text in _repeated(marked):
            yield Finding(CODE, file.relative, _head(file, function), text)

    def _problems(
        self, file: SourceFile, function: _Function, decorator: ast.expr, hook: str | None, in_class: bool
    ) -> Iterator[tuple[Span, str]]:
        options = _options(decorator)
        head = _head(file, function)
        marker = replace(file.span(decorator), end_line=head.end_line, end_column=head.end_column)
        for option in sorted(options.keys() - OPTIONS):
            yield marker, f"`{option}` is no option of hookimpl; it has {', '.join(sorted(OPTIONS))}"
        if hook is None:
            return
        arguments = {node.arg: node for node in ast.iter_child_nodes(function.args) if isinstance(node, ast.arg)}
        for fault in faults(_shape(function, decorator, hook, options, in_class), self._hooks):
            if fault.argument is not None:
                yield file.span(arguments[fault.argument]), fault.text
            else:
                yield (marker if fault.in_options else head), fault.text


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


def _implementations(tree: ast.Module, names: _Names) -> Iterator[tuple[_Function, ast.expr, ast.AST]]:
    """Yield every marked function with the decorator, and the module, class or function that it stands in."""
    stack: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while stack:
        node, container = stack.pop()
        if isinstance(node, _FUNCTIONS):
            for decorator in node.decorator_list:
                if names.is_marker(decorator):
                    yield node, decorator, container
                    break
        inside = node if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) else container
        stack.extend((child, inside) for child in ast.iter_child_nodes(node))


def _options(decorator: ast.expr) -> dict[str, ast.expr]:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return {keyword.arg: keyword.value for keyword in keywords if keyword.arg is not None}


def _hook(function: _Function, decorator: ast.expr) -> str | None:
    """Return the name of the hook; None if only a run can tell, because `specname` is computed."""
    specname = _options(decorator).get("specname", ast.Constant(None))
    return str(specname.value or function.name) if isinstance(specname, ast.Constant) else None


def _repeated(marked: Iterable[_Marked]) -> Iterator[tuple[_Function, str]]:
    """Yield the last of several functions of one module or class that implement the same hook, and what is wrong."""
    by_name: dict[tuple[ast.AST, str], dict[str, _Function]] = {}
    for container, hook, function, _ in marked:
        if hook is not None:
            by_name.setdefault((container, hook), {})[function.name] = function
    for (_, hook), functions in by_name.items():
        if len(functions) > 1:
            last = max(functions.values(), key=lambda function: function.lineno)
            yield last, implemented_twice(hook, sorted(functions)).text


def _shape(
    function: _Function, decorator: ast.expr, hook: str, options: Mapping[str, ast.expr], in_class: bool
) -> Shape:
    """Describe the implementation. Another decorator than `staticmethod` may make anything of the function, so its
    kind is not known then."""
    others = {ast.unparse(other) for other in function.decorator_list if other is not decorator}
    is_plain = others <= set(_BINDERS)
    return Shape(
        hook,
        _parameters(function.args, bound=in_class and "staticmethod" not in others),
        is_plain and isinstance(function, ast.AsyncFunctionDef),
        is_plain and any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)),
        {option: not _is_false(value) for option, value in options.items()},
    )


def _parameters(arguments: ast.arguments, *, bound: bool) -> list[inspect.Parameter] | None:
    """Return the parameters that a caller fills; None for a method that has no parameter for `self`."""
    defaults = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    positional = [(argument.arg, inspect.Parameter.POSITIONAL_ONLY) for argument in arguments.posonlyargs]
    positional += [(argument.arg, inspect.Parameter.POSITIONAL_OR_KEYWORD) for argument in arguments.args]
    parameters = [_parameter(name, kind, index >= defaults) for index, (name, kind) in enumerate(positional)]
    if bound and not parameters and arguments.vararg is None:
        return None
    if arguments.vararg is not None:
        parameters.append(_parameter(arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(_parameter(argument.arg, inspect.Parameter.KEYWORD_ONLY, default is not None))
    if arguments.kwarg is not None:
        parameters.append(_parameter(arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    return parameters[1:] if bound and positional else parameters


def _parameter(name: str, kind: inspect._ParameterKind, has_default: bool = False) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=None if has_default else inspect.Parameter.empty)


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
