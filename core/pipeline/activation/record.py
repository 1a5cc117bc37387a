"""What of a plugin lies beside its directory: the record by which an activation is undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....hookspecs.json import JSON
from .edited_file import EditedFile


@dataclass(frozen=True, slots=True)
class ActivationRecord:
    """What an activation under `layout` put on a target, by place (see `Activation`).

    `edited` are the agent's files that hold something of the plugin. `files` are those of plugport's own, with their
    sha256 in hex; `links` have their text, `copies` the digest of the tree. `folders` were made for all that, the
    deepest first.
    """

    layout: str
    edited: Mapping[str, EditedFile] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """Return this as the record of the installed plugin holds it."""
        return {
            "layout": self.layout,
            "edited": {path: edited.to_json() for path, edited in self.edited.items()},
            "files": dict(self.files),
            "links": dict(self.links),
            "copies": dict(self.copies),
            "folders": list(self.folders),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ActivationRecord:
        """Read what `to_json` returned."""
        return cls(
            stored["layout"],
            {path: EditedFile.from_json(edited) for path, edited in stored["edited"].items()},
            stored["files"],
            stored["links"],
            stored["copies"],
            tuple(stored["folders"]),
        )
