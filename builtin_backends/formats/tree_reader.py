"""One reading of a tree: its files as texts and documents, the components that were read, and what is wrong."""

from __future__ import annotations

import bisect
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ...hookspecs import JSON, Component, ComponentKind, ContentFinding, PluginTree, Severity
from .json_document import Keys, Parsed, parse_json

MAX_DOCUMENT: Final = 512 * 1024
"""Bytes of the longest manifest or settings file that is read."""
MAX_FINDINGS: Final = 500
_REFUSED: Final = frozenset({"json-comment", "json-comma"})
"""What is read past here, and what agents refuse."""
_BOM: Final = b"\xef\xbb\xbf"
_LATEST_CHARACTER: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text. `path` is below the tree's root."""

    path: str
    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset, from 1."""
        start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, start) + 1, offset - start + 1


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON or YAML object that was read from a file."""

    file: TextFile
    value: Mapping[str, JSON]
    parsed: Parsed

    @property
    def path(self) -> str:
        """The file's path below the tree's root."""
        return self.file.path

    def place(self, keys: Keys = ()) -> tuple[int, int]:
        """Return the line and the column of a value, or of the nearest value around it."""
        while keys and keys not in self.parsed.offsets:
            keys = keys[:-1]
        return self.file.place(self.parsed.offsets.get(keys, 0))


@dataclass(slots=True)
class Reading:
    """What a format collects. `folder` is the plugin's root below the tree's, `""` if they are the same.

    Paths of its methods are below the tree's root.
    """

    tree: PluginTree
    folder: str = ""
    components: list[Component] = field(default_factory=list)
    findings: list[ContentFinding] = field(default_factory=list)
    yaml_left: list[int] = field(default_factory=lambda: [512 * 1024])
    """How many characters of front matters are still parsed in full: PyYAML reads some 100 kB a second."""
    _visited: set[tuple[ComponentKind, str]] = field(default_factory=set)
    _seen: set[tuple[ComponentKind, str, str]] = field(default_factory=set)
    _noted: set[ContentFinding] = field(default_factory=set)

    def inside(self, folder: str) -> Reading:
        """Return a reading of a plugin in a folder of the tree. It collects into this one."""
        return replace(self, folder=folder)

    def at(self, path: str) -> str:
        """Return the tree's path of a path below the plugin's root."""
        return posixpath.join(self.folder, path) if path else self.folder

    def own(self, path: str) -> str:
        """Return the path below the plugin's root of a path of the tree."""
        return path[len(self.folder) + 1 :] if self.folder else path

    def owns(self, path: str) -> bool:
        """Return whether a path of the tree lies below the plugin's root."""
        return not self.folder or path.startswith(f"{self.folder}/")

    def has(self, path: str) -> bool:
        """Return whether the tree has the file."""
        return path in self.tree

    def below(self, folder: str) -> list[str]:
        """Return the paths of the files below a folder, sorted. Takes time in proportion to the answer."""
        paths = self.tree.paths
        if not folder:
            return list(paths)
        first = bisect.bisect_left(paths, f"{folder}/")
        last = bisect.bisect_right(paths, f"{folder}/{_LATEST_CHARACTER}")
        return list(paths[first:last])

    def has_folder(self, folder: str) -> bool:
        """Return whether the tree has a file below the folder."""
        paths = self.tree.paths
        first = bisect.bisect_left(paths, f"{folder}/")
        return first < len(paths) and paths[first].startswith(f"{folder}/")

    def unvisited(self, kind: ComponentKind, paths: Iterable[str]) -> list[str]:
        """Return the files that were not read for components of this kind before. From now on they count as read."""
        fresh = [path for path in dict.fromkeys(paths) if (kind, path) not in self._visited]
        self._visited.update((kind, path) for path in fresh)
        return fresh

    def add(self, component: Component) -> bool:
        """Add a component, unless it was added before. Return whether it was added."""
        key = (component.kind, component.path, component.name)
        if key in self._seen:
            return False
        self._seen.add(key)
        self.components.append(component)
        return True

    def note(
        self,
        rule: str,
        severity: Severity,
        path: str,
        message: str,
        place: tuple[int, int] = (0, 0),
        runtime: str | None = None,
    ) -> None:
        """Note what is wrong, at most `MAX_FINDINGS` times."""
        finding = ContentFinding(rule, severity, clean(path), clean(message), *place, runtime=runtime)
        if finding in self._noted or len(self.findings) > MAX_FINDINGS:
            return
        if len(self.findings) == MAX_FINDINGS:
            finding = ContentFinding(
                "more", Severity.WARNING, "", f"more than {MAX_FINDINGS} findings: see to these first"
            )
        self._noted.add(finding)
        self.findings.append(finding)

    def error(self, rule: str, path: str, message: str, place: tuple[int, int] = (0, 0)) -> None:
        """Note that something fails."""
        self.note(rule, Severity.ERROR, path, message, place)

    def warn(self, rule: str, path: str, message: str, place: tuple[int, int] = (0, 0)) -> None:
        """Note that something is lost."""
        self.note(rule, Severity.WARNING, path, message, place)

    def content(self, path: str, limit: int = MAX_DOCUMENT) -> bytes | None:
        """Return a file's first `limit` bytes and one more; None if there is no such file or it cannot be read."""
        try:
            return self.tree.read(path, limit + 1)
        except KeyError:
            return None
        except OSError:
            self.error("file-unreadable", path, "the file cannot be read")
            return None

    def text(self, path: str, limit: int = MAX_DOCUMENT) -> TextFile | None:
        """Return a file's text, None if it has none that can be used. A byte order mark is noted and dropped."""
        content = self.content(path, limit)
        if content is None:
            return None
        if len(content) > limit:
            self.error("file-too-long", path, f"the file has more than {limit} bytes and is not read")
            return None
        if content.startswith(_BOM):
            self.error("bom", path, "the file starts with a byte order mark, which most agents refuse", (1, 1))
            content = content[len(_BOM) :]
        try:
            return TextFile(path, content.decode())
        except UnicodeDecodeError as error:
            file = TextFile(path, content[: error.start].decode())
            self.error("encoding", path, "the file is not UTF-8 here", file.place(len(file.text)))
            return None

    def json(self, path: str) -> Document | None:
        """Return the JSON object in a file, None if there is none that can be used. What is wrong is noted."""
        file = self.text(path)
        return None if file is None else self.document(file, parse_json(file.text))

    def yaml(self, path: str) -> Document | None:
        """Return the YAML mapping in a file, None if there is none that can be used. What is wrong is noted."""
        from .yaml_document import parse_yaml

        file = self.text(path, 256 * 1024)
        return None if file is None else self.document(file, parse_yaml(file.text))

    def document(self, file: TextFile, parsed: Parsed) -> Document | None:
        """Return an object that was parsed, None if it is none. What is wrong with it is noted."""
        for fault in parsed.faults:
            severity = Severity.ERROR if fault.fatal or fault.rule in _REFUSED else Severity.WARNING
            self.note(fault.rule, severity, file.path, f"the file {fault.problem}", file.place(fault.offset))
        if any(fault.fatal for fault in parsed.faults):
            return None
        if not isinstance(parsed.value, Mapping):
            self.error("wrong-type", file.path, "the file must hold an object", (1, 1))
            return None
        return Document(file, parsed.value, parsed)


def clean(text: str) -> str:
    """Return a text that every encoder and every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def folders_with(paths: Iterable[str], name: str) -> Iterator[str]:
    """Yield the paths whose file name is `name`."""
    return (path for path in paths if path == name or path.endswith(f"/{name}"))
