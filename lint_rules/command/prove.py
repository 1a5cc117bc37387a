"""`--prove`: breaks the code in memory, one mistake at a time, and reports what the gates do not see.

A rule's mistakes are those of `mutants.MUTATORS`, or of the function `mutants(file, table)` of its own module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..engine.configuration import load
from ..engine.discovery import discover
from ..engine.errors import Unparsable
from ..engine.installed_rules import KnownRule, load_registry
from ..engine.lint import Request, lint
from ..engine.mutant import Mutant
from ..engine.packaging import module_of
from ..engine.source_file import LintFile
from ..reporters.paths import Shown

CLEAN, FINDINGS = 0, 1
MOST = 60
"""Mutants of one rule that are tried, spread evenly over all there are, so that a large project ends in minutes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one rule: how many mistakes there were, how many were tried, and those that nobody saw."""

    rule: str
    made: int
    tried: int
    survivors: tuple[Mutant, ...]


def prove(request: Request, form: str, tell: Callable[[str], None]) -> int:
    """Try every rule's mistakes and tell; 1 where one survived. Raises `UsageError`."""
    configuration = load(request.config, request.working_directory)
    registry = load_registry()
    rules = [rule for code, rule in registry.rules.items() if request.select is None or code in request.select]
    found = discover(configuration, [request.working_directory / path for path in request.paths])
    files = []
    for absolute, relative in found.files.items():
        if absolute in found.checked:
            path = configuration.root / relative
            files.append(LintFile(path, relative, module_of(relative, configuration.module_roots), path.read_bytes()))
    proofs = [_proof(rule, files, request, configuration.table) for rule in rules]
    shown = Shown(configuration.root, request.working_directory)
    tell(_as_json(proofs, shown) if form == "json" else "\n".join(_lines(proofs, shown)))
    return FINDINGS if any(one.survivors for one in proofs) else CLEAN


def _proof(rule: KnownRule, files: list[LintFile], request: Request, table: object) -> Proof:
    _, module = rule.load()
    mutate = getattr(module, "mutants", None)
    made = [one for file in files for one in _mutants(mutate, file, table)] if mutate is not None else []
    step = max(1, -(-len(made) // MOST))
    tried = made[::step]
    return Proof(
        rule.code, len(made), len(tried), tuple(one for one in tried if not _is_seen(one, rule.code, request))
    )


def _mutants(mutate: Callable[..., Iterator[Mutant]], file: LintFile, table: object) -> Iterator[Mutant]:
    try:
        yield from mutate(file, table)
    except Unparsable:
        return
    finally:
        file.forget()


def _is_seen(mutant: Mutant, code: str, request: Request) -> bool:
    root = load(request.config, request.working_directory).root
    asked = replace(request, paths=(), select=(code,), cache=False)
    before = lint(replace(asked, paths=(root / mutant.path,)))
    after = lint(replace(asked, stdin=(root / mutant.path, mutant.text.encode())))
    return len(after.findings) > len(before.findings) and all(one.rule != "PP900" for one in after.findings)


def _lines(proofs: list[Proof], shown: Shown) -> Iterator[str]:
    for one in proofs:
        caught = one.tried - len(one.survivors)
        if not one.made:
            yield f"{one.rule}: nothing here to prove it on"
        else:
            spread = f" (of {one.made} that there are)" if one.tried < one.made else ""
            yield f"{one.rule}: {caught} of {one.tried} mistakes caught{spread}"
        for mutant in one.survivors:
            yield f"  survived: {shown(mutant.path)}:{mutant.line}: {mutant.what}"


def _as_json(proofs: list[Proof], shown: Shown) -> str:
    items = [
        {
            "rule": one.rule,
            "path": shown(mutant.path),
            "line": mutant.line,
            "column": 1,
            "end_line": mutant.line,
            "end_column": 1,
            "message": f"survived: {mutant.what}",
            "trace": [],
        }
        for one in proofs
        for mutant in one.survivors
    ]
    return json.dumps(items, ensure_ascii=False, indent=1) if items else "[]"
