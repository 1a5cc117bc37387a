"""Generated trees of plugins, with every name and content that a file system takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_T = TypeVar("_T")

ODD_NAMES = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.binary(min_size=200, max_size=255),
    st.sampled_from(
        [b"\xff", b"a\nb", b"--", b"-rf", b"a\\b", b"$(id)", b"caf\xe9", b" ", b"*", b"\xe2\x80\xa8", b"K"]
    ),
).filter(lambda name: not set(name) & {0, 0x2F} and name not in {b".", b".."})
"""Names of any bytes."""

_NAMES = st.one_of(
    st.sampled_from(
        [b"plugin.yaml", b"skills", b"rules", b"SKILL.md", b"a.md", b"A.md", b".git", b"settings-fragment.json"]
    ),
    ODD_NAMES,
)
_CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"name: odd\n",
            b"name: [",
            b"a: &a [*a]",
            b"\xff",
            b"runtimes: 7",
            b'{"hooks": {"a": 1}}',
            b"[" * 2000,
            b"---\nname: [\n---\ntext",
            b"---\nname: a\nname: b\n---",
            b"---\n" * 500,
            b"---\n&a [*a, *a]\n---",
            b"\xef\xbb\xbf---\r\nname: \xff\r\n---",
            b"name: odd\nversion: " + b"9" * 5000,
        ]
    ),
)
_LEAVES = st.one_of(
    st.tuples(st.just("file"), _CONTENTS, st.sampled_from([0o644, 0o755, 0o4755, 0o000, 0o2644])),
    st.tuples(
        st.just("link"), st.sampled_from([b".", b"..", b"a.md", b"../../x", b"/etc/passwd", b"skills", b"\xff"])
    ),
    st.tuples(st.just("pipe")),
)
_PLAIN_FILES = st.tuples(st.just("file"), _CONTENTS, st.sampled_from([0o644, 0o755, 0o600]))
_PLAIN = st.fixed_dictionaries(
    {b"README.md": _PLAIN_FILES},
    optional={
        b"plugin.yaml": _PLAIN_FILES,
        b"settings-fragment.json": _PLAIN_FILES,
        b"notes.md": _PLAIN_FILES,
        b"skills": st.dictionaries(
            st.sampled_from([b"a", "\u00e9".encode(), b"--texts--", b" "]),
            st.dictionaries(st.sampled_from([b"SKILL.md", b"-rf", b"$(id)"]), _PLAIN_FILES, max_size=2),
            max_size=2,
        ),
        b"rules": st.dictionaries(st.sampled_from([b"a.md", b"--manifests--", b"b.md"]), _PLAIN_FILES, max_size=3),
        b"hooks": st.dictionaries(st.sampled_from([b"a.sh", b"*.py"]), _PLAIN_FILES, max_size=2),
    },
)
TREES = st.one_of(
    st.recursive(
        st.dictionaries(_NAMES, _LEAVES, max_size=4),
        lambda below: st.dictionaries(_NAMES, st.one_of(_LEAVES, below), max_size=4),
        max_leaves=8,
    ),
    _PLAIN,
)
"""A tree: names to entries, each a tree again or `("file", bytes, mode)`, `("link", target)`, `("pipe",)`."""


def examples(strategy: st.SearchStrategy[_T], count: int) -> list[_T]:
    """Return `count` examples, the same each time. They are used in batches, which `@given` cannot do."""
    collected: list[_T] = []
    every = settings(
        max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    collect: Callable[[], None] = every(given(strategy)(lambda example: collected.append(example)))
    collect()
    return collected


def write_tree(folder: bytes, tree: Mapping[bytes, Any]) -> None:
    """Write a tree of `TREES`."""
    os.makedirs(folder)
    for name, entry in tree.items():
        path = folder + b"/" + name
        if isinstance(entry, dict):
            write_tree(path, entry)
        elif entry[0] == "file":
            with open(path, "wb") as file:
                file.write(entry[1])
            os.chmod(path, entry[2])
        elif entry[0] == "link":
            os.symlink(entry[1], path)
        else:
            os.mkfifo(path)
