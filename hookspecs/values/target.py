"""What lies on a target, as a backend is asked before anything is changed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class PathKind(StrEnum):
    """What a path of a target is. A backend never follows links: LINK is a link, and whatever lies behind one."""

    ABSENT = "absent"
    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TargetQuery:
    """What `inspect_target` is asked about.

    Each path is relative to the config dir, with `/`; one that starts with `~/` is relative to the agent's home.
    `paths`: kind and owner, and of files the digest. `contents`: the bytes too, of files of at most `max_content`
    bytes. `trees`: directories whose files are asked for, each with its digest. `folders`: directories of which the
    names in them are asked for, and no more.
    """

    paths: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    max_content: int = 4 * 1024 * 1024
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PathState:
    """What a path of a target is now.

    `owner`: the uid, or None if the backend cannot tell. `digest`: `sha256:<hex>`, of a file's bytes, or of a tree
    that was asked for (`tree_digest`). `content`: the bytes of a file, if they were asked for and not too long.
    `files`: path below the tree to the sha256 of the file in hex, if the path was asked for as a tree. `link`: the
    text of a link, None for what lies behind one. `names`: what a directory has in it, if the path was asked for as a
    folder; None also if the backend does not know such questions (hook API 3).
    """

    kind: PathKind
    owner: int | None = None
    digest: str | None = None
    content: bytes | None = None
    files: Mapping[str, str] | None = None
    link: str | None = None
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TargetState:
    """A backend's answer to `inspect_target`, read in one round trip.

    `config_dir` and `home` are absolute paths on the target, links resolved; `home` is None if the backend does not
    know it. `paths` has an entry for each path of the query.
    """

    config_dir: str
    home: str | None = None
    paths: Mapping[str, PathState] = field(default_factory=lambda: MappingProxyType({}))
