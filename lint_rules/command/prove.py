"""`--prove`: breaks the code in memory, one mistake at a time, and finds out what the gates do not see.

The mistakes of a rule are those that the function `mutants(file, table)` of its module makes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.configuration import load
from ..engine.contract import JSON
from ..engine.errors import Unparsable
from ..engine.installed_rules import InstalledRule, InstalledRules, load_rules
from ..engine.lint import Request, lint, read_files
from ..engine.mutant import Mutant
from ..engine.named_in_configuration import check_names
from ..engine.source_file import SourceFile, encode
from ..reporters.json import as_list, item
from ..reporters.paths import DisplayPaths

_Mutate = Callable[[SourceFile, Mapping[str, JSON]], Iterator[Mutant]]
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
    installed = load_rules()
    files, checked = read_files(request, configuration)
    check_names(configuration, files)
    proofs = []
    for rule in installed.rules.values():
        if request.select is None or rule.code in request.select:
            mutants = [mutant for path in checked for mutant in _mutants(rule, files[path], configuration.table)]
            only_rule = replace(request, paths=(), select=(rule.code,), checks_names=False)
            proofs.append(_proof(rule.code, mutants, only_rule, files, installed))
    return Proofs(configuration.root, proofs)


def _mutants(rule: InstalledRule, file: SourceFile, table: Mapping[str, JSON]) -> Iterator[Mutant]:
    mutate: _Mutate | None = rule.stated("mutants", None)
    try:
        yield from mutate(file, table) if mutate is not None else ()
    except Unparsable:
        return
    finally:
        file.forget()


def _spread(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return at most about `MOST` of the mutants, each sort of mistake as often as the others."""
    sorts: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        sorts.setdefault(mutant.mistake, []).append(mutant)
    most = max(1, MOST // max(len(sorts), 1))
    return [mutant for sort in sorts.values() for mutant in sort[:: max(1, -(-len(sort) // most))]]


def _proof(
    code: str,
    mutants: list[Mutant],
    request: Request,
    files: Mapping[str, SourceFile],
    installed: InstalledRules,
) -> Proof:
    """Try mutants: a mutant is seen if its file has more findings than before, and can still be parsed. The first run
    fills the cache, so that the others read one file anew."""
    tried = _spread(mutants)
    if not tried:
        return Proof(code, 0, 0, ())
    before = Counter(finding.path for finding in lint(request, installed).findings)
    survivors = []
    for mutant in tried:
        file = files[mutant.path]
        findings = lint(replace(request, stdin=(file.path, encode(mutant.text, file.data))), installed).findings
        is_parsed = all(finding.rule != "PP900" for finding in findings)
        if len(findings) <= before[mutant.path] or not is_parsed:
            survivors.append(mutant)
    return Proof(code, len(mutants), len(tried), tuple(survivors))
