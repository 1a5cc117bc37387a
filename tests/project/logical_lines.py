"""Counts the product's logical lines: `python tests/project/logical_lines.py [REVISION]`, one figure per folder.

A logical line is a statement of Python. Comments, docstrings, blank lines, tests and the data that the product writes
(samples and skeletons) do not count. Without a revision the files of the working tree are counted.
"""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("builtin_backends", "core", "hookspecs", "lint_rules")
DATA = ("core/data/", "core/provider-skeletons/", "core/sample-plugins/")


def count(source: str) -> int:
    """Count the statements of a module, without its docstrings."""
    return sum(isinstance(node, ast.stmt) and not _is_text(node) for node in ast.walk(ast.parse(source)))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def working_tree() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each Python file below the folders."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def revision(name: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each Python file below the folders in a revision of git."""
    archive = subprocess.run(["git", "archive", name, *FOLDERS], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            content = files.extractfile(member)
            if content is not None and member.name.endswith(".py"):
                yield member.name, content.read().decode()


def by_folder(files: Iterator[tuple[str, str]]) -> Counter[str]:
    """Add up the logical lines of each folder, down to two levels."""
    lines: Counter[str] = Counter()
    for path, text in files:
        if not path.startswith(DATA):
            lines["/".join(path.split("/")[:-1][:2])] += count(text)
    return lines


def main() -> None:
    """Print a line per folder, and the sum."""
    lines = by_folder(revision(sys.argv[1]) if len(sys.argv) > 1 else working_tree())
    for folder in sorted(lines):
        print(f"{lines[folder]:7} {folder}")
    print(f"{lines.total():7} in all")


if __name__ == "__main__":
    main()
