"""Parses YAML that others wrote: bounded in size, depth and expansion, and JSON in the end."""

from __future__ import annotations

import math
from typing import Final

import yaml

from ...hookspecs.values import JSON

_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 64
_MAX_NUMBER: Final = 64
_TOO_MUCH: Final = "holds or expands to too much"
_TAG: Final = "tag:yaml.org,2002:"


class YamlInvalid(Exception):
    """Raised when a text is not the YAML that is accepted here; `problem` ends the sentence "the file …"."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def parse_mapping(text: str) -> dict[str, JSON]:
    """Parse a YAML document whose root is a mapping; an empty document is an empty mapping.

    Dates stay texts, keys become texts. Raises `YamlInvalid`.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return {}
        _expanded_size(node, {})
        value = to_json(loader.construct_document(node))
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
        raise YamlInvalid("is not valid YAML") from error
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(value, dict):
        raise YamlInvalid("must be a mapping")
    return value


class _Loader(yaml.SafeLoader):
    """The safe loader, but dates stay texts (JSON has none) and the depth is bounded."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own declaration is an instance variable
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in {f"{_TAG}timestamp", f"{_TAG}value"}]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._nodes = 0

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:  # noqa: N803 - PyYAML's name
        """Refuse brackets in brackets before they are composed: the scanner is quadratic in their depth."""
        if self.flow_level >= _MAX_DEPTH:
            raise YamlInvalid(f"is nested more than {_MAX_DEPTH} levels deep")
        super().fetch_flow_collection_start(TokenClass)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise YamlInvalid(_TOO_MUCH)
        if self._depth > _MAX_DEPTH:
            raise YamlInvalid(f"is nested more than {_MAX_DEPTH} levels deep")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _expanded_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count the nodes once every alias is written out. `sizes` has them by identity, 0 while a node is counted."""
    if id(node) in sizes:
        if sizes[id(node)] == 0:
            raise YamlInvalid("refers to itself")
        return sizes[id(node)]
    sizes[id(node)] = 0
    size = 1
    if isinstance(node, yaml.ScalarNode):
        if node.tag in {f"{_TAG}int", f"{_TAG}float"} and len(node.value) > _MAX_NUMBER:
            raise YamlInvalid("holds a number that is too long")
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_expanded_size(child, sizes) for child in node.value)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlInvalid("must have texts as keys")
            if key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
            size += 1 + _expanded_size(child, sizes)
    if size > _MAX_NODES:
        raise YamlInvalid(_TOO_MUCH)
    sizes[id(node)] = size
    return size


def to_json(value: object) -> JSON:
    """Return the value as JSON that every database and every encoder takes. Raises `YamlInvalid`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): to_json(item) for key, item in value.items()}
    raise YamlInvalid("holds something other than texts, numbers, lists and mappings")


def _checked_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise YamlInvalid("holds a text with a lone surrogate") from None
    if "\0" in text:
        raise YamlInvalid("holds a text with a NUL")
    return text


def _key(key: object) -> str:
    text = to_json(key)
    if not isinstance(text, str):
        raise YamlInvalid("must have texts as keys")
    return text
