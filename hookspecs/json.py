"""The type of what JSON can hold, for every value and error that is written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

JSON: TypeAlias = "None | bool | int | float | str | Sequence[JSON] | Mapping[str, JSON]"
"""Anything that `json.dumps` writes."""

EMPTY: Final[Mapping[str, JSON]] = MappingProxyType({})
"""The empty object: read-only, so that it can be a default."""
