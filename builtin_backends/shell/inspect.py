"""Reads what lies at some paths of a target with a shell, in one round trip."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ...hookspecs import PathKind, PathState, TargetQuery, TargetState, tree_digest
from ...hookspecs.errors import BackendUnavailable
from .channel import Channel
from .failure import script_failure
from .frame import run_framed
from .script import script_command, script_text
from .script_output import Fields, HashedFile, decode, encode, hash_lines

_KINDS: Final = {
    b"a": PathKind.ABSENT,
    b"f": PathKind.FILE,
    b"d": PathKind.DIRECTORY,
    b"l": PathKind.LINK,
    b"o": PathKind.OTHER,
}
_PRESENT: Final = frozenset({PathKind.FILE, PathKind.DIRECTORY, PathKind.OTHER})


class _Answer(NamedTuple):
    """What the script prints for one path."""

    path: str
    kind: PathKind
    content: bytes | None
    files: Mapping[str, str] | None
    link: str | None = None
    names: tuple[str, ...] | None = None


async def inspect(channel: Channel, config_dir: str, query: TargetQuery, home: str | None = None) -> TargetState:
    """Return what lies at the paths of the query. Changes nothing; links are not followed. May be repeated.

    If `home` is None, it is the home of uid 1000 for root, else of the user that the commands run as. A path that
    leads out of its directory or has a control character or a backslash is not looked at, and called OTHER. Raises
    `DeliveryFailed`, `BackendUnavailable`, `UnsupportedTarget`, and what the channel raises.
    """
    letters = dict.fromkeys(query.paths, b"p") | dict.fromkeys(query.contents, b"c")
    letters |= dict.fromkeys(query.trees, b"t") | dict.fromkeys(query.folders, b"n")
    records = [letters[path] + encode(path) + b"\0" for path in sorted(letters) if _is_clean(path)]
    inner = script_text("inspect_paths")
    argv = script_command("inspect", inner, config_dir, home or "", str(query.max_content))
    completed = await run_framed(channel, argv, io.BytesIO(b"".join(records)), repeatable=True)
    if completed.exit_code != 0:
        raise await script_failure(channel, config_dir, "inspect", completed)
    fields = Fields(completed.stdout)
    real_config_dir, real_home = decode(fields.next()), decode(fields.next())
    states = {path: PathState(PathKind.OTHER) for path in letters}
    unanswered = len(records)
    while unanswered:
        answers = [_read_answer(field, fields) for field in fields.until_empty()]
        unanswered -= len(answers)
        if not answers or unanswered < 0:
            raise BackendUnavailable("the target's answer is broken")
        states |= _read_states(answers, fields, real_home)
    return TargetState(real_config_dir, real_home or None, states)


def _is_clean(path: str) -> bool:
    """Tell whether a path is relative, stays in its directory, and fits into a line of `sha256sum`."""
    parts = path.removeprefix("~/").split("/")
    return not {"", ".", ".."} & set(parts) and not any(character in path for character in "\0\n\r\\")


def _read_answer(field: bytes, fields: Fields) -> _Answer:
    kind, letter, path = _KINDS.get(field[:1]), field[1:2], decode(field[2:])
    if kind is None:
        raise BackendUnavailable("the target's answer is broken")
    if kind is PathKind.LINK:
        return _Answer(path, kind, None, None, decode(fields.next()) or None)
    content = files = None
    if kind is PathKind.FILE and letter == b"c":
        content = _read_content(fields)
    elif kind is PathKind.DIRECTORY and letter == b"t":
        files = {_inside(file.path, path): file.sha256 for file in fields.hashed_files()}
    names = None
    if kind is PathKind.DIRECTORY and letter == b"n":
        names = tuple(map(decode, fields.until_empty()))
    return _Answer(path, kind, content, files, names=names)


def _read_content(fields: Fields) -> bytes | None:
    size = fields.next()
    if size == b"-":
        return None
    content = fields.take(int(size) if size.isdigit() else 0)
    if (fields.next(), fields.next()) != (b"", b"end"):
        raise BackendUnavailable("a file changed while it was read")
    return content


def _inside(path: str, tree: str) -> str:
    """Return the path below a tree of a path as `find` printed it, `./<tree>/…` or `<home>/…`."""
    below = tree.removeprefix("~/")
    return path.partition(f"/{below}/")[2].lstrip("/")


def _read_states(answers: Sequence[_Answer], fields: Fields, home: str) -> dict[str, PathState]:
    """Read the owners and digests that follow a batch of answers."""
    present = sorted(_on_target(answer.path, home) for answer in answers if answer.kind in _PRESENT)
    lines = [line for line in fields.next().split(b"\n") if line]
    owners = _owners(lines) if len(lines) == len(present) else []
    owner_of = dict(zip(present, owners, strict=False))
    digests = {encode(file.path): file.sha256 for file in hash_lines(fields.next())}
    return {
        answer.path: _state(answer, owner_of.get(place), digests.get(place))
        for answer in answers
        for place in [_on_target(answer.path, home)]
    }


def _on_target(path: str, home: str) -> bytes:
    """Return a path as the script spells it."""
    return encode(f"{home}/{path[2:]}" if path.startswith("~/") else f"./{path}")


def _owners(lines: Iterable[bytes]) -> list[int | None]:
    """Return the owner in each line of `ls -dn`: its third word."""
    words = [line.split(None, 3) for line in lines]
    return [int(line[2]) if len(line) > 2 and line[2].isdigit() else None for line in words]


def _state(answer: _Answer, owner: int | None, sha256: str | None) -> PathState:
    if answer.kind is PathKind.FILE:
        if answer.content is not None:
            sha256 = hashlib.sha256(answer.content).hexdigest()
        return PathState(answer.kind, owner, f"sha256:{sha256}" if sha256 else None, answer.content)
    digest = None
    if answer.files is not None:
        digest = tree_digest(HashedFile(path, sha256) for path, sha256 in answer.files.items())
    return PathState(answer.kind, owner, digest, files=answer.files, link=answer.link, names=answer.names)
