"""PP003 hook-mismatch: a hook implementation whose name, arguments or kind the specification does not know.

plugport refuses such a provider at load, so that the mistake shows when the service starts; this rule shows it when
the code is written. Both judge by plugport.hookspecs.providers.validity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import libcst as cst

from ...hookspecs.providers.validity import OPTIONS, faults, implemented_twice, specifications
from ..analysis.hook_markers import MARKERS, UNKNOWN, HookMarkers, Markers
from ..analysis.hook_shapes import Implementation, MarkedFunction, arguments_of, is_decorated, place_of, shape_of
from ..analysis.syntax import (
    FUNCTIONS,
    argument,
    attribute_values,
    bound_values,
    decorator_name,
    dotted_name,
    elements,
    every_node,
    own_nodes,
    parameter_names,
    statements,
    string_value,
)
from ..engine.contract import JSON, Example, SourceFile, Summaries
from ..engine.lint_rule import LintRule
from ..engine.mutant import Edit, Mutant, edited

CODE = "PP003"
message = "a hook implementation whose name, arguments or kind the specification does not know"
reason = """plugport refuses a provider with an unknown hook, a wrong argument, a wrapper or a generator at load:
the service starts without that provider, and what it should have carried fails later, far away from the mistake.

An argument that the hook does not have is fine if it has a default; an argument that is left out is fine, too. A hook
that plugport does not have is fine with `optionalhook=True`: it is ignored."""
how_to_fix = """Take the name and the arguments from docs/providers/hooks.md; leave out what the hook does not need.
A hook of another host, or of a later plugport, is marked with `optionalhook=True`."""
when_to_suppress = """Nearly never: plugport refuses the provider at load. A test's provider that must be wrong is
such a case."""

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
    Example(
        "from acme_hooks import early\n\n\n@early\nasync def deliver(workspace, package): ...\n",
        files={
            "acme_hooks.py": "from functools import partial\n\nfrom plugport.hookspecs import hookimpl\n\n"
            "early = partial(hookimpl, tryfirst=True)()\n"
        },
        lines=(5,),
    ),
    Example(
        "from plugport.hookspecs import hookimpl\n\n\ndef _again(workspace, how): ...\n\n\n"
        "class Backend:\n    restart = hookimpl(_again)\n",
        lines=(4,),
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

_WANTED = re.compile(rb"hookimpl|HookimplMarker|hookspecs")
_NAMED = re.compile(rb"hookimpl|HookimplMarker|getattr")
_HANDS_ON = re.compile(rb"^(?:from [\w.]+ import|import [\w.]+)", re.MULTILINE)
_DEFINES = re.compile(rb"^ *(?:async +def|def|class) ", re.MULTILINE)
_LARGEST = 20_000
"""Bytes of a module that only hands names on."""


class HookMismatch(LintRule):
    """The rule. It looks at each module and class as the loader looks at a provider: by its attributes."""

    code = CODE
    message = message
    reason = reason
    VALID = VALID
    INVALID = INVALID

    def __init__(self, config: Mapping[str, JSON]) -> None:
        super().__init__(config)
        self._hooks = specifications()

    def wants(self, data: bytes) -> bool:
        """Want files that can hold a marker, or hand one on under another name."""
        return _WANTED.search(data) is not None or b"@" in data or _only_hands_on(data)

    def summarise(self, file: SourceFile) -> JSON:
        """Return the markers that the module offers, and the names that it takes from other modules."""
        if _WANTED.search(file.data) is None and not _only_hands_on(file.data):
            return None
        markers = HookMarkers(file)
        name = file.module or ""
        summary: dict[str, JSON] = {
            "names": _below(name, markers.own.names),
            "makers": _below(name, markers.own.makers),
            "aliases": _below(name, markers.aliases),
        }
        return summary if any(summary.values()) else None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Return every marker of the project by dotted name, through the modules that hand it on."""
        offered: dict[str, dict[str, JSON]] = {"names": {}, "makers": {}, "aliases": {}}
        for summary in summaries.values():
            if isinstance(summary, Mapping):
                for part, names in offered.items():
                    here = summary.get(part)
                    names.update(here if isinstance(here, Mapping) else {})
        aliases = offered.pop("aliases")
        offered["names"].update({name: {} for name in MARKERS})
        _hand_on(aliases, offered)
        for name in MARKERS:
            del offered["names"][name]
        return {part: dict(names) for part, names in offered.items()}

    def reads(self, file: SourceFile, linked: JSON, summaries: Summaries) -> bool:
        """Read files that name a marker, pluggy's or one of the project."""
        if _WANTED.search(file.data) is not None and _NAMED.search(file.data) is not None:
            return True
        offered = _markers(linked)
        names = {name.rpartition(".")[2].encode() for name in (*offered.names, *offered.makers)}
        return any(name in file.data for name in names)

    def visit_Module(self, node: cst.Module) -> None:
        """Judge what the module defines."""
        self._markers = HookMarkers(self.file, _markers(self.linked))
        self._functions = {
            item.name.value: item
            for item in own_nodes(statements(node), (*FUNCTIONS, cst.ClassDef))
            if isinstance(item, cst.FunctionDef)
        }
        self._functions |= {
            f"{item.name.value}.{method.name.value}": method
            for item in statements(node)
            if isinstance(item, cst.ClassDef)
            for method in statements(item)
            if isinstance(method, cst.FunctionDef)
        }
        self._hidden: list[frozenset[str]] = []
        self._judge(node)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Judge what a class defines."""
        outer, self._markers.scope = self._markers.scope, f"{node.name.value}."
        self._judge(node)
        self._markers.scope = outer

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge what stands in a function, where a name may mean something else."""
        self._hidden.append(self._markers.hidden)
        bound = {name: self._markers.options_of(value) for name, value in bound_values(own_nodes([node.body]))}
        names = {name for name, options in bound.items() if options is None}.union(parameter_names(node))
        self._markers.hidden |= names
        self._judge(node)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        """Go back to the names around the function."""
        self._markers.hidden = self._hidden.pop()

    def _judge(self, holder: cst.Module | cst.ClassDef | cst.FunctionDef) -> None:
        by_hook: dict[str, dict[str, MarkedFunction]] = {}
        for marked in self._marked(holder):
            hook = self._hook(marked)
            self._report_faults(marked, hook)
            if hook is not None:
                by_hook.setdefault(hook, {})[marked.name] = marked
        for hook, same in by_hook.items():
            if len(same) > 1:
                last = max(same.values(), key=lambda marked: self.file.span(place_of(marked)))
                self.report(place_of(last), implemented_twice(hook, sorted(same)).text)

    def _marked(self, holder: cst.Module | cst.ClassDef | cst.FunctionDef) -> Iterator[MarkedFunction]:
        """Yield the holder's implementations, once for each name that they have there."""
        own = list(own_nodes(statements(holder.body if isinstance(holder, cst.FunctionDef) else holder)))
        functions = {node.name.value: node for node in own if isinstance(node, cst.FunctionDef)}
        in_class = isinstance(holder, cst.ClassDef)
        marked = [
            item
            for function in own
            if isinstance(function, cst.FunctionDef)
            for item in self._decorated(function, in_class)
        ]
        if not isinstance(holder, cst.FunctionDef):  # what a function binds is nobody's attribute
            marked += self._own_names(own, functions, in_class)
            values = [(name, value, in_class) for name, value in bound_values(own)]
        else:
            values = []
        for name, value, is_method in (*values, *attribute_values(own)):
            if (applied := self._markers.applied(value)) is not None:
                options, target = applied
                if not isinstance(target, cst.Name) or target.value != name or (name, value, is_method) not in values:
                    marked.append(MarkedFunction(name, self._function(target, functions), options, value, is_method))
            elif isinstance(value, cst.Name) and value.value != name:
                same = [item for item in marked if item.name == value.value]
                marked += [replace(item, name=name) for item in same[:1]]
        yield from marked

    def _own_names(
        self, own: Iterable[cst.CSTNode], functions: Mapping[str, cst.FunctionDef], is_method: bool
    ) -> Iterator[MarkedFunction]:
        """Yield the holder's functions that a call marks, by their own names."""
        for node in own:
            value = node.value if isinstance(node, cst.Expr | cst.Assign | cst.AnnAssign) else None
            if value is None or (applied := self._markers.applied(value)) is None:
                continue
            for target in _loop_values(applied[1], own):
                dotted = dotted_name(target)
                function = functions.get(dotted) or (self._functions.get(dotted) if "." in dotted else None)
                if function is not None:
                    in_class = is_method or "." in dotted
                    yield MarkedFunction(function.name.value, function, applied[0], value, in_class)

    def _function(
        self, target: cst.BaseExpression, functions: Mapping[str, cst.FunctionDef]
    ) -> Implementation | None:
        if isinstance(target, cst.Lambda):
            return target
        dotted = dotted_name(target)
        return functions.get(dotted) or self._functions.get(dotted)

    def _decorated(self, function: cst.FunctionDef, is_method: bool) -> Iterator[MarkedFunction]:
        for decorator in function.decorators:
            options = self._markers.options_of(decorator.decorator)
            if options is not None:
                yield MarkedFunction(function.name.value, function, options, decorator.decorator, is_method)
                return

    def _hook(self, marked: MarkedFunction) -> str | None:
        """Return the name of the hook; None if only a run can tell, because `specname` is computed or
        `functools.wraps` gives the function the name and the arguments of another."""
        specname = marked.options.get("specname")
        is_wrapped = isinstance(marked.function, cst.FunctionDef) and "wraps" in map(
            decorator_name, marked.function.decorators
        )
        return None if specname == UNKNOWN or is_wrapped else str(specname or marked.name)

    def _report_faults(self, marked: MarkedFunction, hook: str | None) -> None:
        head = self.file.span(place_of(marked))
        marker = self.file.span(marked.marker) if is_decorated(marked) else head
        if is_decorated(marked):
            marker = replace(marker, end_line=head.end_line, end_column=head.end_column)
        for option in sorted(marked.options.keys() - OPTIONS):
            self.report(marker, f"`{option}` is no option of hookimpl; it has {', '.join(sorted(OPTIONS))}")
        if hook is None:
            return
        arguments = {} if marked.function is None else arguments_of(marked.function)
        for fault in faults(shape_of(marked, hook), self._hooks):
            if marked.function is None and hook in self._hooks and not fault.in_options:
                continue  # the function is another module's: its parameters are not known here
            if fault.argument in arguments:
                self.report(arguments[fault.argument], fault.text)
            else:
                self.report(marker if fault.in_options else head, fault.text)


def _loop_values(target: cst.BaseExpression, nodes: Iterable[cst.CSTNode]) -> list[cst.BaseExpression]:
    """Return what the target of a `for` over a display stands for; the expression itself if it is no such target."""
    for node in nodes:
        if isinstance(node, cst.For) and isinstance(node.target, cst.Name) and isinstance(target, cst.Name):
            values = elements(node.iter)
            if node.target.value == target.value and values is not None:
                return values
    return [target]


def _only_hands_on(data: bytes) -> bool:
    """Return whether the module defines nothing and imports something."""
    return len(data) < _LARGEST and _DEFINES.search(data) is None and _HANDS_ON.search(data) is not None


def _below(module: str, names: Mapping[str, Any]) -> dict[str, JSON]:
    return {f"{module}.{name}": value for name, value in sorted(names.items())} if module else {}


def _hand_on(aliases: Mapping[str, JSON], offered: Mapping[str, dict[str, JSON]]) -> None:
    """Offer each marker by the names under which other modules hand it on, too."""
    while True:
        before = sum(map(len, offered.values()))
        for alias, target in aliases.items():
            for names in offered.values():
                if alias.endswith(".*"):
                    package, module = alias.removesuffix("*"), str(target).removesuffix("*")
                    names.update(
                        {
                            package + name.removeprefix(module): options
                            for name, options in list(names.items())
                            if name.startswith(module)
                        }
                    )
                elif target in names:
                    names[alias] = names[str(target)]
        if before == sum(map(len, offered.values())):
            return


def _markers(linked: JSON) -> Markers:
    parts = linked if isinstance(linked, Mapping) else {}
    return Markers(parts.get("names") or {}, parts.get("makers") or {})  # type: ignore[arg-type]


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each hook implementation take an argument that its specification does not have."""
    for function in every_node(file.tree()):
        if isinstance(function, cst.FunctionDef) and _is_judged(function):
            number = file.span(function.name).line
            line = file.line(number)
            params = function.params
            if "(" in line and not isinstance(params.star_arg, cst.Param) and params.star_kwarg is None:
                first = "self, " if params.params[:1] and params.params[0].name.value == "self" else ""
                head, _, rest = line.partition("(")
                changed = f"{head}({first}plugport_mutant, {rest.removeprefix('self').removeprefix(',').lstrip()}"
                text = edited(file, [Edit(number, number, (changed,))])
                yield Mutant(file.relative, number, "takes an argument that no hook has", text)


def _is_judged(function: cst.FunctionDef) -> bool:
    """Return whether the rule judges the function by a marker called `hookimpl`: it may not be of an optional hook,
    nor have the name of another."""
    for item in function.decorators:
        if decorator_name(item) == "hookimpl" and "wraps" not in map(decorator_name, function.decorators):
            call = item.decorator if isinstance(item.decorator, cst.Call) else cst.Call(item.decorator)
            specname = argument(call, None, "specname")
            is_known = specname is None or string_value(specname) is not None
            return is_known and argument(call, None, "optionalhook") is None
    return False
