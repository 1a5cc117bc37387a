"""Rules with fixes of every sort: good ones, and some that a fixer must survive."""

from __future__ import annotations

import libcst as cst

from plugport.lint_rules import Fix, LintRule, TextEdit, import_module, insert_before, replace_node
from plugport.lint_rules.engine.installed_rules import InstalledRule, InstalledRules


class Renamed(LintRule):
    """`old(…)` becomes `await asyncio.to_thread(old, …)` in words: `new(…)`, with an import and a line before."""

    code = "XY001"
    message = "old is new"
    reason = "It was renamed."

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        for part in node.body:
            value = getattr(part, "value", None)
            if isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "old":
                imported = import_module(self.file, "asyncio")
                line = insert_before(self.file, node, "asyncio.run(log())")
                if imported is not None and line is not None:
                    edits = (*imported.edits, line, replace_node(self.file, value.func, "new"))
                    self.report(value, fix=Fix("write new", edits))
                    continue
                self.report(value)


class Lowered(LintRule):
    """`Name` becomes `name`; safe."""

    code = "XY002"
    message = "names are small"
    reason = "So that they are."

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == "NAME":
            self.report(node, fix=Fix("write name", (replace_node(self.file, node, "name"),), is_safe=True))


class Broken(LintRule):
    """Its fix is no Python."""

    code = "XY003"
    message = "break is broken"
    reason = "To see."

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == "breaks":
            self.report(node, fix=Fix("break it", (TextEdit(self.file.span(node), "x = ("),)))
        if node.value == "awaits":
            self.report(node, fix=Fix("await it", (TextEdit(self.file.span(node), "(await x)"),)))


class Endless(LintRule):
    """Its fix makes the finding again."""

    code = "XY004"
    message = "more"
    reason = "To see."

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == "more":
            self.report(node, fix=Fix("more of it", (TextEdit(self.file.span(node), "(more)"),)))


def _installed(kind: type[LintRule]) -> InstalledRule:
    return InstalledRule(kind.code, "1", f"support.fixable_rules:{kind.__name__}", "tests 1")


INSTALLED = InstalledRules({kind.code: _installed(kind) for kind in (Renamed, Lowered, Broken, Endless)}, ())
