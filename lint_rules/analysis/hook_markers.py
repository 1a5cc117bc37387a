"""Finds the names of a module that are plugport's hook marker, however they came to be."""

from __future__ import annotations

import ast

from ...hookspecs import PROJECT
from ..engine.contract import SourceFile, Summaries
from .imports import imported_names, package_of, qualified_name
from .nodes import every_node, passed_values

_MARKERS = frozenset({"plugport.hookspecs.hookimpl", "plugport.hookspecs.specs.hookimpl"})
_MARKER_CLASSES = frozenset({"pluggy.HookimplMarker", "pluggy._hooks.HookimplMarker"})
_PROJECTS = frozenset({"plugport.hookspecs.PROJECT", "plugport.hookspecs.specs.PROJECT"})


class HookMarkers:
    """The markers of one module: `names` are those under which it offers one. `summaries` tell which names of other
    modules are markers; without them, only plugport's own are."""

    def __init__(self, file: SourceFile, summaries: Summaries | None = None) -> None:
        self.names: set[str] = set()
        self._summaries = summaries
        self._imported: dict[str, str] = {}
        self._constants: dict[str, str] = {}
        package = package_of(file) if file.module is not None else None
        nodes = every_node(file.ast())
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, dotted in imported_names(node, package):
                    self._imported[name] = dotted
                    if self._is_marker_name(dotted):
                        self.names.add(name)
        for node in nodes:
            if isinstance(node, ast.Assign):
                self._assign([target.id for target in node.targets if isinstance(target, ast.Name)], node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self._assign([node.target.id], node.value)

    def is_marker(self, expression: ast.expr) -> bool:
        """Return whether the expression is plugport's `hookimpl`, or a call of it."""
        if isinstance(expression, ast.Call):
            expression = expression.func
        if isinstance(expression, ast.Name) and expression.id in self.names:
            return True
        dotted = self._qualified(expression)
        return dotted is not None and self._is_marker_name(dotted)

    def _is_marker_name(self, dotted: str) -> bool:
        module, _, name = dotted.rpartition(".")
        if dotted in _MARKERS or self._summaries is None or not module:
            return dotted in _MARKERS
        offered = self._summaries.of_module(module)
        return isinstance(offered, list) and name in offered

    def _assign(self, names: list[str], value: ast.expr) -> None:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            self._constants.update(dict.fromkeys(names, value.value))
        elif isinstance(value, ast.Call):
            arguments = passed_values(value)
            if self._qualified(value.func) in _MARKER_CLASSES and arguments and self._is_plugport(arguments[0]):
                self.names.update(names)
        elif self.is_marker(value):
            self.names.update(names)

    def _is_plugport(self, project: ast.expr) -> bool:
        if isinstance(project, ast.Constant):
            return project.value == PROJECT
        if isinstance(project, ast.Name) and project.id in self._constants:
            return self._constants[project.id] == PROJECT
        return self._qualified(project) in _PROJECTS

    def _qualified(self, expression: ast.expr) -> str | None:
        return qualified_name(expression, self._imported.get)
