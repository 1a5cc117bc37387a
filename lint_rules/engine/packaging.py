"""Reads how the project's own packaging maps folders to modules, so that a flow can be followed across files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .contract import JSON


@dataclass(frozen=True, slots=True)
class ModuleRoot:
    """Maps files below `folder` (relative, `""` is the root) to modules below `package` (`""` is the top level)."""

    folder: str
    package: str


def module_roots(document: Mapping[str, JSON], extra: Sequence[str], root: Path) -> tuple[ModuleRoot, ...]:
    """Return the mapping of one project, the deepest folder first: `roots` of the configuration, setuptools'
    `package-dir` and `packages.find.where`, poetry's `from`, hatch's `packages` and `sources`, uv's `module-root`,
    a `src/` layout, and the root itself. Entries of an unknown shape are ignored."""
    packages: dict[str, str] = {_clean(folder): "" for folder in extra}
    for folder, package in _declared(_at(document, "tool")):
        packages.setdefault(folder, package)
    if (root / "src").is_dir() and not (root / "src" / "__init__.py").exists():
        packages.setdefault("src", "")
    packages.setdefault("", "")
    ordered = sorted(packages.items(), key=lambda item: (-len(item[0].split("/")) if item[0] else 1, item[0]))
    return tuple(ModuleRoot(folder, package) for folder, package in ordered)


def module_of(relative: str, roots: Sequence[ModuleRoot]) -> str | None:
    """Return the dotted name of the file at that relative path, or None if no import can reach it."""
    if not relative.endswith(".py"):
        return None
    for root in roots:
        if root.folder and not relative.startswith(f"{root.folder}/"):
            continue
        below = relative[len(root.folder) + 1 if root.folder else 0 : -3]
        parts = below.split("/")
        if parts[-1] == "__init__":
            parts.pop()
        dotted = ".".join(([root.package] if root.package else []) + parts)
        if dotted and all(part.isidentifier() for part in dotted.split(".")):
            return dotted
    return None


def _declared(tool: JSON) -> list[tuple[str, str]]:
    declared: list[tuple[str, str]] = []
    package_dir = _at(tool, "setuptools", "package-dir")
    if isinstance(package_dir, dict):
        declared += [(_clean(folder), str(name)) for name, folder in package_dir.items() if isinstance(folder, str)]
    declared += [(_clean(folder), "") for folder in _list(_at(tool, "setuptools", "packages", "find", "where"))]
    packages = _at(tool, "poetry", "packages")
    for package in packages if isinstance(packages, list) else []:
        if isinstance(package, dict) and isinstance(origin := package.get("from"), str):
            declared.append((_clean(origin), str(package.get("to", "")).replace("/", ".")))
    build = _at(tool, "hatch", "build")
    for target in (build, _at(build, "targets", "wheel")):
        declared += [(_clean(folder).rpartition("/")[0], "") for folder in _list(_at(target, "packages"))]
        declared += _hatch_sources(_at(target, "sources"))
    if isinstance(module_root := _at(tool, "uv", "build-backend", "module-root"), str):
        declared.append((_clean(module_root), ""))
    return declared


def _hatch_sources(sources: JSON) -> list[tuple[str, str]]:
    if isinstance(sources, dict):
        return [(_clean(old), str(new).replace("/", ".")) for old, new in sources.items()]
    return [(_clean(folder), "") for folder in _list(sources)]


def _at(value: JSON, *names: str) -> JSON:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _list(value: JSON) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _clean(folder: str) -> str:
    cleaned = folder.replace("\\", "/").removeprefix("./").strip("/")
    return "" if cleaned == "." else cleaned
