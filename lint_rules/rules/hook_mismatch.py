"""PP003 hook-mismatch: a hook implementation whose name, arguments or kind the specification does not know.

plugport refuses such a provider at load, so that the mistake shows when the service starts; this rule shows it when
the code is written. Both judge by plugport.hookspecs.providers.validity.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from ...hookspecs.providers.validity import OPTIONS, Shape, faults, implemented_twice, specifications
from ..analysis.hook_markers import HookMarkers
from ..analysis.nodes import FUNCTIONS, FunctionNode, decorator_name, own_nodes
from ..engine.contract import JSON, Example, Finding, Rule, SourceFile, Span, Summaries
from ..engine.mutant import Edit, Mutant, edited

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
    Example(
        "import functools\n\nfrom plugport.hookspecs import hookimpl, specs\n\n\n@hookimpl\n"
        "@functools.wraps(specs.deliver)\nasync def forward(*arguments, **named): ...\n"
    ),
)

_Marked: TypeAlias = "tuple[ast.AST, str | None, FunctionNode, ast.expr]"
_WANTED = re.compile(rb"hookimpl|HookimplMarker|hookspecs")
_BINDERS = ("classmethod", "staticmethod")


class HookMismatch(Rule):
    """The rule. It follows a marker that another module of the project hands on."""

    def __init__(self, config: Mapping[str, JSON]) -> None:
        self._hooks = specifications()

    def wants(self, data: bytes) -> bool:
        """Want files that can hold or hand on a marker."""
        return _WANTED.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """Return the names under which the module offers plugport's marker."""
        return sorted(HookMarkers(file).names) or None

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Report each implementation that its specification does not fit."""
        markers = HookMarkers(file, summaries)
        marked = [
            (container, _hook(function, decorator), function, decorator)
            for function, decorator, container in _implementations(file.ast(), markers)
        ]
        for container, hook, function, decorator in marked:
            for span, text in self._problems(file, function, decorator, hook, isinstance(container, ast.ClassDef)):
                yield Finding(CODE, file.relative, span, text)
        for function, text in _repeated(marked):
            yield Finding(CODE, file.relative, _head(file, function), text)

    def _problems(
        self, file: SourceFile, function: FunctionNode, decorator: ast.expr, hook: str | None, in_class: bool
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


def _implementations(tree: ast.Module, markers: HookMarkers) -> Iterator[tuple[FunctionNode, ast.expr, ast.AST]]:
    """Yield every marked function with the decorator, and the module, class or function that it stands in."""
    stack: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while stack:
        node, container = stack.pop()
        if isinstance(node, FUNCTIONS):
            for decorator in node.decorator_list:
                if markers.is_marker(decorator):
                    yield node, decorator, container
                    break
        inside = node if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else container
        stack.extend((child, inside) for child in ast.iter_child_nodes(node))


def _options(decorator: ast.expr) -> dict[str, ast.expr]:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return {keyword.arg: keyword.value for keyword in keywords if keyword.arg is not None}


def _hook(function: FunctionNode, decorator: ast.expr) -> str | None:
    """Return the name of the hook; None if only a run can tell, because `specname` is computed or `functools.wraps`
    gives the function the name and the arguments of another."""
    specname = _options(decorator).get("specname", ast.Constant(None))
    if not isinstance(specname, ast.Constant) or "wraps" in map(decorator_name, function.decorator_list):
        return None
    return str(specname.value or function.name)


def _repeated(marked: Iterable[_Marked]) -> Iterator[tuple[FunctionNode, str]]:
    """Yield the last of several functions of one module or class that implement the same hook, and what is wrong."""
    by_name: dict[tuple[ast.AST, str], dict[str, FunctionNode]] = {}
    for container, hook, function, _ in marked:
        if hook is not None:
            by_name.setdefault((container, hook), {})[function.name] = function
    for (_, hook), functions in by_name.items():
        if len(functions) > 1:
            last = max(functions.values(), key=lambda function: function.lineno)
            yield last, implemented_twice(hook, sorted(functions)).text


def _shape(
    function: FunctionNode, decorator: ast.expr, hook: str, options: Mapping[str, ast.expr], in_class: bool
) -> Shape:
    """Describe the implementation. Another decorator than `staticmethod` may make anything of the function, so its
    kind is not known then."""
    others = {ast.unparse(other) for other in function.decorator_list if other is not decorator}
    is_plain = others <= set(_BINDERS)
    return Shape(
        hook,
        _parameters(function.args, bound=in_class and "staticmethod" not in others),
        is_plain and isinstance(function, ast.AsyncFunctionDef),
        is_plain and any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function.body)),
        {option: not _is_false(value) for option, value in options.items()},
    )


def _parameters(arguments: ast.arguments, *, bound: bool) -> list[inspect.Parameter] | None:
    """Return the parameters that a caller fills; None for a method that has no parameter for `self`."""
    defaults = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    parameters = []
    for index, argument in enumerate([*arguments.posonlyargs, *arguments.args]):
        by_position = index < len(arguments.posonlyargs)
        kind = inspect.Parameter.POSITIONAL_ONLY if by_position else inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(_parameter(argument.arg, kind, index >= defaults))
    if bound:
        if not parameters and arguments.vararg is None:
            return None
        parameters = parameters[1:]
    if arguments.vararg is not None:
        parameters.append(_parameter(arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(_parameter(argument.arg, inspect.Parameter.KEYWORD_ONLY, default is not None))
    if arguments.kwarg is not None:
        parameters.append(_parameter(arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    return parameters


def _parameter(name: str, kind: inspect._ParameterKind, has_default: bool = False) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=None if has_default else inspect.Parameter.empty)


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value


def _head(file: SourceFile, function: FunctionNode) -> Span:
    """Return the place of the function's name."""
    line = file.line(function.lineno)
    start = file.span(function).column
    column = line.find(function.name, start - 1) + 1
    if column <= 0:
        return Span(function.lineno, start, function.lineno, start + 1)
    return Span(function.lineno, column, function.lineno, column + len(function.name))


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each hook implementation take an argument that its specification does not have."""
    for function in ast.walk(file.ast()):
        if isinstance(function, FUNCTIONS) and any(map(partial(_is_judged, function), function.decorator_list)):
            line = file.line(function.lineno)
            if "(" in line and function.args.vararg is None and function.args.kwarg is None:
                first = "self, " if function.args.args[:1] and function.args.args[0].arg == "self" else ""
                head, _, rest = line.partition("(")
                changed = f"{head}({first}plugport_mutant, {rest.removeprefix('self').removeprefix(',').lstrip()}"
                text = edited(file, [Edit(function.lineno, function.lineno, (changed,))])
                yield Mutant(file.relative, function.lineno, "takes an argument that no hook has", text)


def _is_judged(function: FunctionNode, decorator: ast.expr) -> bool:
    """Return whether the decorator is a marker whose function the rule judges: it may not be of an optional hook."""
    is_marker = decorator_name(decorator) == "hookimpl" and "optionalhook" not in _options(decorator)
    return is_marker and _hook(function, decorator) is not None
