"""Reads `plugin.yaml`: what a plugin is called, its version and the runtimes that it supports."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ...hookspecs.errors import InvalidPluginName, ManifestInvalid, NameMismatch
from ...hookspecs.values import JSON, Resolved, is_name, normalise_runtime
from .bounded_yaml import YamlInvalid, parse_mapping

FILE: Final = "plugin.yaml"
MAX_BYTES: Final = 256 * 1024
_MAX_VERSION: Final = 128


def read_manifest(root: Path) -> Mapping[str, JSON]:
    """Read and check the manifest of the plugin in the directory `root`; empty if there is no `plugin.yaml`.

    Blocking; may be repeated. Raises `ManifestInvalid` if the file cannot be used, and `InvalidPluginName` if the
    name in it is not valid. A link is followed inside `root` only.
    """
    text = _read(root)
    return {} if text is None else _validate(_parse(text))


def parse_manifest_text(text: str) -> Mapping[str, JSON]:
    """Parse the manifest that lies on a target; an invalid one counts as empty."""
    try:
        return _parse(text)
    except ManifestInvalid:
        return {}


def validate_name(text: str) -> str:
    """Return the name itself. Raises `InvalidPluginName` if it is not a valid name."""
    if not is_name(text):
        raise InvalidPluginName("not a plain name")
    return text


def plugin_name(resolved: Resolved, manifest: Mapping[str, JSON], expected: str | None = None) -> str:
    """Return the plugin's name. The source, the manifest and `expected` must agree, if they name it.

    Raises `InvalidPluginName`, `NameMismatch`, and `ManifestInvalid` if neither source nor manifest names the plugin.
    """
    from_source = None if resolved.name is None else validate_name(resolved.name)
    from_manifest = name_of(manifest)
    if from_source is not None and from_manifest is not None and from_source != from_manifest:
        raise NameMismatch(from_source, from_manifest)
    name = from_source or from_manifest
    if name is None:
        raise ManifestInvalid("name", "is missing, and the source does not name the plugin either")
    if expected is not None and validate_name(expected) != name:
        raise NameMismatch(expected, name)
    return name


def name_of(manifest: Mapping[str, JSON]) -> str | None:
    """Return the name that the manifest gives; None if it gives none."""
    name = manifest.get("name")
    return name if isinstance(name, str) else None


def version_of(manifest: Mapping[str, JSON]) -> str | None:
    """Return the manifest's version as a text of at most 128 characters; None if it has none."""
    version = manifest.get("version")
    return None if version is None else str(version)[:_MAX_VERSION]


def description_of(manifest: Mapping[str, JSON]) -> str | None:
    """Return the manifest's description; None if it has none."""
    description = manifest.get("description")
    return description if isinstance(description, str) else None


def runtimes_of(manifest: Mapping[str, JSON]) -> tuple[str, ...]:
    """Return the runtimes that the manifest lists, as they are written; empty if it lists none."""
    listed = manifest.get("runtimes")
    return tuple(item for item in listed if isinstance(item, str)) if isinstance(listed, list | tuple) else ()


def supported_on_runtime(manifest: Mapping[str, JSON], files: Iterable[str], runtime: str | None) -> bool:
    """Return whether the plugin supports a runtime: it lists none, lists this one, or has an adapter for it.

    `files` are paths below the plugin's root. An unknown runtime (None) counts as supported.
    """
    if runtime is None or not manifest.get("runtimes") or not isinstance(manifest["runtimes"], list | tuple):
        return True
    wanted = normalise_runtime(runtime)
    if any(normalise_runtime(listed) == wanted for listed in runtimes_of(manifest)):
        return True
    adapters = (path for path in files if path.startswith("adapters/") and path.endswith(".py"))
    return any(normalise_runtime(path[len("adapters/") : -len(".py")]) == wanted for path in adapters)


def _read(root: Path) -> str | None:
    path = root / FILE
    if not path.is_symlink() and not path.exists():
        return None
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(root)):
        raise ManifestInvalid(FILE, "must be a file of the plugin")
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ManifestInvalid(FILE, "cannot be read") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ManifestInvalid(FILE, "must be a file of the plugin")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ManifestInvalid(FILE, f"has at most {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestInvalid(FILE, "must be UTF-8") from error


def _parse(text: str) -> dict[str, JSON]:
    if len(text) > MAX_BYTES:
        raise ManifestInvalid(FILE, f"has at most {MAX_BYTES} bytes")
    try:
        return parse_mapping(text)
    except YamlInvalid as error:
        raise ManifestInvalid(FILE, error.problem) from error


def _validate(data: dict[str, JSON]) -> dict[str, JSON]:
    name, version, runtimes = data.get("name"), data.get("version"), data.get("runtimes")
    if name is not None and not isinstance(name, str):
        raise ManifestInvalid("name", "must be a text")
    if name is not None:
        validate_name(name)
    if version is not None and (isinstance(version, bool) or not isinstance(version, str | int | float)):
        raise ManifestInvalid("version", "must be a text or a number")
    if runtimes is not None and not (isinstance(runtimes, list) and len(runtimes_of(data)) == len(runtimes)):
        raise ManifestInvalid("runtimes", "must be a list of texts")
    return data
