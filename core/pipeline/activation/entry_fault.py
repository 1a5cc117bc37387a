"""Why an entry cannot be put into a settings file."""

from __future__ import annotations

from ....hookspecs.errors import ActivationFault


class EntryFault(Exception):
    """Raised when a settings file stands in the way; `line` counts from 1, None if it is not known."""

    def __init__(self, fault: ActivationFault, line: int | None = None) -> None:
        super().__init__(fault.value)
        self.fault, self.line = fault, line
