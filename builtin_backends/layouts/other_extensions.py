"""Finds a second extension of a name, whatever its folder is called: Gemini CLI does not start with two."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ...hookspecs import ContentFinding, PathKind, PathState, Severity, TargetQuery, TargetState
from .draft import Draft

_FOLDER: Final = "extensions"
_MOST: Final = 256
"""The extensions that are looked at."""


@dataclass(frozen=True, slots=True)
class OtherExtensions:
    """The extensions of the target beside the plugin's own.

    `manifest` is the file that names an extension, `folder` where plugport puts it in a plugin that it converts.
    `with_two` says what the runtime does with two extensions of a name.
    """

    draft: Draft
    manifest: str
    folder: str
    with_two: str

    @property
    def query(self) -> TargetQuery:
        """What must be known at first: the names of the folders."""
        return TargetQuery(paths=(self._own,), folders=(_FOLDER,))

    def look_again(self, state: TargetState) -> TargetQuery:
        """Return what must be known besides: where each extension lies, and its manifest."""
        paths, contents = [], []
        for name in self._names(state):
            place = f"{_FOLDER}/{name}"
            if place not in state.paths:
                paths.append(place)
                contents += [f"{place}/{self.manifest}", f"{place}/{self._installed_as}"]
                contents += [f"plugins/{name}/{self.manifest}", f"plugins/{name}/{self.folder}/{self.manifest}"]
            elif (manifest := self._manifest_of(name, state)) is not None:
                contents.append(manifest)
        known = state.paths
        return TargetQuery(tuple(paths), tuple(path for path in dict.fromkeys(contents) if path not in known))

    def check(self, state: TargetState) -> tuple[ContentFinding, ...]:
        """Return an error if another extension has the plugin's name, or something lies where its link goes."""
        taken = [self._own] if _at(state, self._own).kind not in {PathKind.ABSENT, PathKind.LINK} else []
        for name in self._names(state):
            manifest = self._manifest_of(name, state)
            if manifest is not None and _json(_at(state, manifest)).get("name") == self._name:
                taken.append(f"{_FOLDER}/{name}")
        runtime = self.draft.runtime
        message = f"{runtime.title} has an extension of this name already, and {self.with_two}"
        return tuple(
            ContentFinding("name-taken", Severity.ERROR, path, message, runtime=runtime.name) for path in taken
        )

    @property
    def _own(self) -> str:
        return f"{_FOLDER}/{self.draft.name}"

    @property
    def _installed_as(self) -> str:
        return f".{self.manifest.removesuffix('.json')}-install.json"

    @property
    def _name(self) -> object:
        """The name by which the runtime knows the plugin: that of its manifest."""
        content = self.draft.tree.get(self.manifest) or self.draft.read(self.manifest)
        own = _json(PathState(PathKind.FILE, content=content)).get("name")
        return own if isinstance(own, str) else self.draft.name

    def _names(self, state: TargetState) -> Iterator[str]:
        names = _at(state, _FOLDER).names or ()
        return (name for name in sorted(names)[:_MOST] if name != self.draft.name)

    def _manifest_of(self, name: str, state: TargetState) -> str | None:
        """Return the place of an extension's manifest, None if it lies where the target cannot be asked."""
        place = f"{_FOLDER}/{name}"
        folder: str | None = place
        installed = _json(_at(state, f"{place}/{self._installed_as}"))
        if (link := _at(state, place).link) is not None:
            folder = _place(posixpath.join(state.config_dir, _FOLDER, link), state)
        elif installed.get("type") == "link":
            folder = _place(str(installed.get("source")), state)
        return None if folder is None else f"{folder}/{self.manifest}"


def _at(state: TargetState, path: str) -> PathState:
    return state.paths.get(path, PathState(PathKind.ABSENT))


def _place(path: str, state: TargetState) -> str | None:
    """Return an absolute path as a place below the config dir or the home, None if it is below neither."""
    path = posixpath.normpath(path)
    for root, prefix in ((state.config_dir, ""), (state.home, "~/")):
        if root and path.startswith(f"{root.rstrip('/')}/"):
            return prefix + path[len(root.rstrip("/")) + 1 :]
    return None


def _json(state: PathState) -> dict[str, object]:
    try:
        value = json.loads(state.content or b"")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
