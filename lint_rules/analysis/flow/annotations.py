"""Reads annotations: which objects of the project's classes a value holds, and where."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ..syntax import last_name, string_value
from .module import Module
from .values import ANY, ELEMENT

_DEEPEST = 4
_LONGEST = 200
_SAME = frozenset(
    {"Annotated", "Optional", "Union", "Mapped", "ClassVar", "Final", "Required", "NotRequired", "Awaitable"}
)
_MAPPINGS = frozenset(
    {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "WeakValueDictionary"}
)


def annotated_classes(
    annotation: cst.BaseExpression | None, module: Module, depth: int = 0
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each class that an annotation names, with the path at which the value has objects of it: `()` in
    `Job | None` and `Annotated[Job, …]`, `("*",)` in `dict[str, Job]`."""
    text = string_value(annotation)
    if text is not None:
        annotation = _parsed(text)
    if annotation is None or depth > _DEEPEST:
        return
    match annotation:
        case cst.Name() | cst.Attribute():
            yield from _named(annotation, module, depth)
        case cst.BinaryOperation(left=left, right=right):
            yield from annotated_classes(left, module, depth + 1)
            yield from annotated_classes(right, module, depth + 1)
        case cst.Subscript(value=generic, slice=items):
            inner = [item.slice.value for item in items if isinstance(item.slice, cst.Index)]
            name = last_name(generic)
            if name == "Annotated":
                inner = inner[:1]
            for part in inner:
                for path, kind in annotated_classes(part, module, depth + 1):
                    yield (path if name in _SAME else (ANY if name in _MAPPINGS else ELEMENT, *path)), kind


def _named(annotation: cst.Name | cst.Attribute, module: Module, depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(annotation, cst.Name) and (alias := module.annotation_aliases.get(annotation.value)) is not None:
        yield from annotated_classes(alias, module, depth + 1)
        return
    qualified = module.qualified(annotation) if module.is_known(annotation) else None
    if qualified and qualified.rpartition(".")[2][:1].isupper() and not module.is_foreign(qualified):
        yield (), qualified


def _parsed(text: str) -> cst.BaseExpression | None:
    if len(text) > _LONGEST:
        return None
    try:
        return cst.parse_expression(text)
    except (cst.ParserSyntaxError, RecursionError):
        return None
