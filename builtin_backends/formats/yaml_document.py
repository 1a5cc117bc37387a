"""Reads YAML that others wrote: bounded in size, depth and expansion, with the place of every value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...hookspecs.json import JSON
from .json_document import MAX_DEPTH, Fault, Keys, Parsed

if TYPE_CHECKING:
    import yaml

_MAX_NODES: Final = 20_000
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,40}\.[0-9]{1,40}(?:[eE][-+]?[0-9]{1,3})?\Z")
_BRACKET: Final = re.compile(r"[\[\]{}]")
_CONSTANTS: Final[dict[str, JSON]] = {"null": None, "~": None, "": None, "true": True, "false": False}


class _Invalid(Exception):
    def __init__(self, offset: int, problem: str, rule: str) -> None:
        super().__init__(problem)
        self.fault = Fault(rule, offset, problem, fatal=True)


def parse_yaml(text: str) -> Parsed:
    """Parse one YAML document by the core schema of YAML 1.2: dates and `yes` stay texts, keys become texts.

    Nodes are counted as they expand. Of a repeated key the last counts, and it is reported. Never raises for a text.
    """
    import yaml

    builder = _Builder()
    try:
        _check_brackets(text)
        node = _compose(text)
        value = None if node is None else builder.build(node, ())
    except _Invalid as invalid:
        return Parsed(None, builder.offsets, [*builder.faults, invalid.fault])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = 0 if mark is None else min(mark.index, len(text))
        return Parsed(None, {}, [Fault("yaml-invalid", offset, "is not valid YAML here", fatal=True)])
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError, AttributeError, TypeError, LookupError):
        # PyYAML lets these out of malformed documents.
        return Parsed(None, {}, [Fault("yaml-invalid", 0, "is not valid YAML", fatal=True)])
    return Parsed(value, builder.offsets, builder.faults, builder.numbers)


def _check_brackets(text: str) -> None:
    """Refuse brackets that are nested too deep before PyYAML sees them: it needs seconds for them."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > MAX_DEPTH:
            raise _Invalid(bracket.start(), f"is nested more than {MAX_DEPTH} levels deep", "yaml-depth")


def _compose(text: str) -> yaml.Node | None:
    """Return the document's nodes. Imports PyYAML."""
    import yaml

    class Loader(yaml.SafeLoader):
        depth = count = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            self.depth += 1
            self.count += 1
            if self.count > _MAX_NODES:
                raise _Invalid(0, "holds too much", "yaml-size")
            if self.depth > MAX_DEPTH:
                offset = self.peek_event().start_mark.index  # type: ignore[no-untyped-call]
                raise _Invalid(offset, f"is nested more than {MAX_DEPTH} levels deep", "yaml-depth")
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

    loader = Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Builder:
    """Makes JSON of nodes, and remembers where each value stands. `numbers` has numbers as they were written."""

    def __init__(self) -> None:
        self.offsets: dict[Keys, int] = {}
        self.numbers: dict[Keys, str] = {}
        self.faults: list[Fault] = []
        self._count = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node, keys: Keys) -> JSON:
        """Return the node's value. Raises `_Invalid` if the document refers to itself or expands to too much."""
        import yaml

        offset = node.start_mark.index
        self.offsets[keys] = offset
        self._count += 1
        if self._count > _MAX_NODES:
            raise _Invalid(offset, "holds or expands to too much", "yaml-size")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, keys)
        if id(node) in self._open:
            raise _Invalid(offset, "refers to itself here", "yaml-cycle")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(child, (*keys, index)) for index, child in enumerate(node.value)]
            return self._mapping(node, keys)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.Node, keys: Keys) -> JSON:
        mapping: dict[str, JSON] = {}
        for key_node, child in node.value:
            if not isinstance(key_node.value, str):
                raise _Invalid(key_node.start_mark.index, "must have texts as keys", "yaml-key")
            key = _text(key_node)
            if key in mapping and len(self.faults) < 50:
                problem = f"has the key {key[:60]!r} twice; the last one counts"
                self.faults.append(Fault("yaml-key-twice", key_node.start_mark.index, problem))
            mapping[key] = self.build(child, (*keys, key))
        return mapping

    def _scalar(self, node: yaml.ScalarNode, keys: Keys) -> JSON:
        text = _text(node)
        if node.style in {"'", '"', "|", ">"} or node.tag.endswith(":str"):
            return text
        if text.lower() in _CONSTANTS:
            return _CONSTANTS[text.lower()]
        if _INTEGER.match(text):
            self.numbers[keys] = text
            return int(text)
        if _FLOAT.match(text):
            self.numbers[keys] = text
            return float(text)
        return text


def _text(node: yaml.Node) -> str:
    text: str = node.value
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _Invalid(node.start_mark.index, "has a text with a NUL or a lone surrogate here", "yaml-text")
    return text
