"""Reads `plugin.yaml`, and says what a plugin is called and which runtimes take it."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from ...hookspecs.errors import InvalidPluginName, ManifestInvalid, NameMismatch
from ...hookspecs.values import JSON, Resolved, normalise_runtime

FILE: Final = "plugin.yaml"
MAX_BYTES: Final = 256 * 1024
_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 64
_MAX_NUMBER: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A `plugin.yaml` that was read: `data` is all of it; the rest is None or empty where it says nothing."""

    data: Mapping[str, JSON]
    name: str | None = None
    version: str | None = None
    runtimes: tuple[str, ...] = field(default=())


def read_manifest(root: Path) -> Manifest | None:
    """The manifest of the plugin in the directory `root`; None where there is no `plugin.yaml`.

    Blocking; may be repeated. Raises `ManifestInvalid` where the file cannot be used, and `InvalidPluginName`
    where it gives the plugin a name that is none. A link is followed inside `root` alone.
    """
    text = _read(root)
    return None if text is None else _manifest(_load(text))


def parse_manifest_text(text: str) -> Mapping[str, JSON]:
    """The data of a manifest as it lies on a target; empty where it is nonsense."""
    try:
        return _load(text)
    except ManifestInvalid:
        return {}


def validate_name(text: str) -> str:
    """The name itself. Raises `InvalidPluginName` where it is no plain name."""
    if not _NAME.match(text):
        raise InvalidPluginName("not a plain name")
    return text


def plugin_name(resolved: Resolved, manifest: Manifest | None, expected: str | None = None) -> str:
    """What the plugin is called: the source's word or the manifest's, which must agree, and with `expected`.

    Raises `InvalidPluginName`, `NameMismatch`, and `ManifestInvalid` where nobody names the plugin.
    """
    vouched = None if resolved.name is None else validate_name(resolved.name)
    own = manifest.name if manifest else None
    if vouched is not None and own is not None and vouched != own:
        raise NameMismatch(vouched, own)
    name = vouched or own
    if name is None:
        raise ManifestInvalid("name", "is missing, and the source does not name the plugin either")
    if expected is not None and validate_name(expected) != name:
        raise NameMismatch(expected, name)
    return name


def supported_on_runtime(manifest: Mapping[str, JSON], files: Iterable[str], runtime: str | None) -> bool:
    """Whether the plugin works on a runtime: it lists none, lists this one, or brings an adapter for it.

    `files` are paths below the plugin's root. Where the runtime is not known, nothing speaks against it.
    """
    listed = manifest.get("runtimes")
    if runtime is None or not isinstance(listed, list | tuple) or not listed:
        return True
    wanted = normalise_runtime(runtime)
    if any(isinstance(one, str) and normalise_runtime(one) == wanted for one in listed):
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
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ManifestInvalid(FILE, "must be a file of the plugin")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ManifestInvalid(FILE, f"has at most {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestInvalid(FILE, "must be UTF-8") from error


def _manifest(data: Mapping[str, JSON]) -> Manifest:
    name, version, runtimes = data.get("name"), data.get("version"), data.get("runtimes")
    if name is not None:
        if not isinstance(name, str):
            raise ManifestInvalid("name", "must be a text")
        validate_name(name)
    if version is not None and (isinstance(version, bool) or not isinstance(version, str | int | float)):
        raise ManifestInvalid("version", "must be a text or a number")
    listed: list[str] = []
    if runtimes is not None:
        if not isinstance(runtimes, list):
            raise ManifestInvalid("runtimes", "must be a list of texts")
        for one in runtimes:
            if not isinstance(one, str):
                raise ManifestInvalid("runtimes", "must be a list of texts")
            listed.append(one)
    return Manifest(data, name, None if version is None else str(version), tuple(listed))


def _load(text: str) -> dict[str, JSON]:
    if len(text) > MAX_BYTES:
        raise ManifestInvalid(FILE, f"has at most {MAX_BYTES} bytes")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return {}
        _weigh(node, {}, 0)
        value = _plain(loader.construct_document(node))
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
        RecursionError,
        AttributeError,
        TypeError,
        LookupError,
    ) as error:
        # PyYAML's constructors let these out of malformed scalars.
        raise ManifestInvalid(FILE, "is not valid YAML") from error
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(value, dict):
        raise ManifestInvalid(FILE, "must be a mapping")
    return value


class _Loader(yaml.SafeLoader):
    """The safe loader, but dates stay texts (JSON has none), keys are texts, and nesting has an end."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own declaration is an instance variable
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in {f"{_TAG}timestamp", f"{_TAG}value"}]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ManifestInvalid(FILE, f"is nested more than {_MAX_DEPTH} levels deep")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _weigh(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """How many nodes there are once every alias is written out: `known` by identity, 0 while under way."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise ManifestInvalid(FILE, "refers to itself")
        return known[id(node)]
    if depth > _MAX_DEPTH:
        raise ManifestInvalid(FILE, f"is nested more than {_MAX_DEPTH} levels deep")
    known[id(node)] = 0
    weight = 1
    if isinstance(node, yaml.ScalarNode):
        if node.tag in {f"{_TAG}int", f"{_TAG}float"} and len(node.value) > _MAX_NUMBER:
            raise ManifestInvalid(FILE, "holds a number that is too long")
    elif isinstance(node, yaml.SequenceNode):
        weight += sum(_weigh(child, known, depth + 1) for child in node.value)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ManifestInvalid(FILE, "must have texts as keys")
            if key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
            weight += 1 + _weigh(child, known, depth + 1)
    if weight > _MAX_NODES:
        raise ManifestInvalid(FILE, "holds or expands to too much")
    known[id(node)] = weight
    return weight


def _plain(value: object) -> JSON:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str):
        if "\0" in value or not _encodes(value):
            raise ManifestInvalid(FILE, "holds a text with a NUL or a lone surrogate")
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_key(key): _plain(one) for key, one in value.items()}
    raise ManifestInvalid(FILE, "holds something other than texts, numbers, lists and mappings")


def _key(key: object) -> str:
    plain = _plain(key)
    if not isinstance(plain, str):
        raise ManifestInvalid(FILE, "must have texts as keys")
    return plain


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
