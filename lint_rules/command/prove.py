"""`--prove`: breaks the code in memory, one mistake at a time, and finds out what the gates do not see.

The mistakes of a rule are those that the function `mutants(file, table)` of its module makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.configuration import Configuration, load
from ..engine.contract import JSON
from ..engine.discovery import discover
from ..engine.errors import Unparsable
from ..engine.installed_rules import InstalledRule, load_rules
from ..engine.lint import Request, lint
from ..engine.mutant import Mutant
from ..engine.packaging import module_of
from ..engine.source_file import LintFile
from ..reporters.json import as_list, item
from ..reporters.paths import DisplayPaths

_Mutate = Callable[[LintFile, Mapping[str, JSON]], Iterator[Mutant]]
MOST = 60
"""Mutants of one rule that are tried, spread evenly over all there are, so that a large project takes minutes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The result for one rule: how many mutants there are, how many were tried, and those that the rule missed."""

    rule: str
    made: int
    tried: int
    survivors: tuple[Mutant, ...]


@dataclass(frozen=True, slots=True)
class Proofs:
    """The results for all rules of the project at `root`."""

    root: Path
    proofs: Sequence[Proof]

    @property
    def has_survivors(self) -> bool:
        """Whether a rule missed a mutant."""
        return any(proof.survivors for proof in self.proofs)

    def as_text(self, display: DisplayPaths) -> str:
        """Return one line for each rule and for each survivor."""
        lines = []
        for proof in self.proofs:
            caught = proof.tried - len(proof.survivors)
            spread = f" (of {proof.made} that there are)" if proof.tried < proof.made else ""
            summary = (
                f"{caught} of {proof.tried} mistakes caught{spread}" if proof.made else "nothing here to prove it on"
            )
            lines.append(f"{proof.rule}: {summary}")
            lines += [
                f"  survived: {display(mutant.path)}:{mutant.line}: {mutant.mistake}" for mutant in proof.survivors
            ]
        return "\n".join(lines)

    def as_json(self, display: DisplayPaths) -> str:
        """Return the survivors in the form of `--format json`."""
        return as_list(
            [
                item(proof.rule, display(mutant.path), f"survived: {mutant.mistake}", mutant.line)
                for proof in self.proofs
                for mutant in proof.survivors
            ]
        )


def prove(request: Request) -> Proofs:
    """Try the mutants of every selected rule. Raises `UsageError`. Takes one run of the gates for each mutant."""
    configuration = load(request.config, request.working_directory)
    rules = load_rules().rules.values()
    discovered = discover(configuration, [request.working_directory / path for path in request.paths])
    files = []
    for absolute, relative in discovered.files.items():
        if absolute in discovered.checked:
            path = configuration.root / relative
            files.append(LintFile(path, relative, module_of(relative, configuration.module_roots), path.read_bytes()))
    selected = [rule for rule in rules if request.select is None or rule.code in request.select]
    return Proofs(configuration.root, [_proof(rule, files, request, configuration) for rule in selected])


def _proof(rule: InstalledRule, files: list[LintFile], request: Request, configuration: Configuration) -> Proof:
    mutate: _Mutate | None = getattr(rule.load()[1], "mutants", None)
    made = [mutant for file in files for mutant in _mutants(mutate, file, configuration.table)] if mutate else []
    tried = made[:: max(1, -(-len(made) // MOST))]
    before: dict[str, int] = {}
    survivors = [mutant for mutant in tried if not _is_seen(mutant, rule.code, request, configuration.root, before)]
    return Proof(rule.code, len(made), len(tried), tuple(survivors))


def _mutants(mutate: _Mutate, file: LintFile, table: Mapping[str, JSON]) -> Iterator[Mutant]:
    try:
        yield from mutate(file, table)
    except Unparsable:
        return
    finally:
        file.forget()


def _is_seen(mutant: Mutant, code: str, request: Request, root: Path, before: dict[str, int]) -> bool:
    """Return whether the mutant has more findings than its file had `before` (by path; filled at its first use)."""
    request = replace(request, paths=(), select=(code,), cache=False)
    file = root / mutant.path
    if mutant.path not in before:
        before[mutant.path] = len(lint(replace(request, paths=(file,))).findings)
    findings = lint(replace(request, stdin=(file, mutant.text.encode()))).findings
    return len(findings) > before[mutant.path] and all(finding.rule != "PP900" for finding in findings)
