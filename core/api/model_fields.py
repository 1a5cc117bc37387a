"""The checked texts and objects that requests are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ...hookspecs.values import NAME_PATTERN

Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]
BackendName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,63}$")]
Runtime = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
InstanceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-fA-F]{64}$")]
Sha256 = Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-fA-F]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=2048)]

_MAX_DEPTH = 16


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """Return JSON that every database can store: no NUL, no infinite number, no deep nesting. Raises `ValueError`."""
    pending: list[tuple[object, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"is nested at most {_MAX_DEPTH} levels deep")
        if isinstance(item, str) and "\0" in item:
            raise ValueError("has no NUL character")
        if isinstance(item, float) and not math.isfinite(item):
            raise ValueError("has finite numbers only")
        if isinstance(item, int) and abs(item) >= 2**63:
            raise ValueError("has numbers of at most 64 bits")
        if isinstance(item, Mapping):
            pending += [(child, depth + 1) for pair in item.items() for child in pair]
        elif isinstance(item, Sequence) and not isinstance(item, str):
            pending += [(child, depth + 1) for child in item]
    return value


Options = Annotated[dict[str, Any], AfterValidator(_storable)]
