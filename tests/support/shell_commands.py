"""Finds the tools and the options that a shell script uses, by a parser of shell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_BUILT_IN: Final = (
    "cd command declare echo eval exec exit export false printf pwd read return set shift test trap true umask unset"
    " [ : . break continue if then else fi for while until do done case esac plugport"
)
"""What every shell of POSIX brings, its keywords, `declare`, which only bash runs, and the name that scripts have."""
_CARRIERS: Final = {
    "xargs": {"-n": 1},
    "setpriv": {"--reuid": 1, "--regid": 1},
    "sudo": {"-u": 1},
    "chroot": {"/": 0},
    "su": {"-s": 1},
    "start-stop-daemon": {"-c": 1, "-p": 1, "-x": 1},
    "flock": {},
    "command": {},
    "exec": {},
}
"""Tools that run another one, with those of their options that take a word."""
_CALLERS: Final = {"print_mark": 0, "set": 1}
"""What runs the words behind it, from which of them on."""
_OPTION: Final = re.compile(r"-{1,2}[A-Za-z0-9][\w-]*(=|\Z)")


def used_tools(script: str, own: frozenset[str] = frozenset()) -> Mapping[str, set[str]]:
    """Return each tool that the script runs, with the options that it is given there.

    `own` are functions that another script brings.
    """
    source = script.encode()
    tools: defaultdict[str, set[str]] = defaultdict(set)
    root = _parse(source)
    functions = own | {_text(node.child_by_field_name("name")) for node in _walk(root) if _is_function(node)}
    for node in _walk(root):
        if node.type == "command":
            name = node.child_by_field_name("name")
            words = [_text(name), *(_text(word) for word in node.children_by_field_name("argument"))]
            _add(words, tools, functions)
    left_out = functions | set(_BUILT_IN.split())
    return {name: options for name, options in tools.items() if name not in left_out}


def functions_in(script: str) -> frozenset[str]:
    """Return the names of the script's functions."""
    nodes = _walk(_parse(script.encode()))
    return frozenset(_text(node.child_by_field_name("name")) for node in nodes if _is_function(node))


def _parse(source: bytes) -> Node:
    return Parser(Language(tree_sitter_bash.language())).parse(source).root_node


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _is_function(node: Node) -> bool:
    return node.type == "function_definition"


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()


def _add(words: list[str], tools: defaultdict[str, set[str]], functions: frozenset[str]) -> None:
    """Add a command's tool with its options, and the tool that this one runs."""
    name, rest = words[0], words[1:]
    if name in _CALLERS and len(rest) > _CALLERS[name]:
        _add(rest[_CALLERS[name] :], tools, functions)
        return
    if not re.fullmatch(r"[a-z][a-z0-9-]*|\[", name) or name in functions:
        return
    options = tools[name]
    if name == "find":
        _add_find(rest, tools, functions)
        return
    carried = _CARRIERS.get(name)
    skip = 0
    for number, word in enumerate(rest):
        if skip:
            skip -= 1
        elif word == "--" and carried is None:
            options.add("--")
            return
        elif _OPTION.match(word) and name != "kill":
            options.update(_letters(word))
            skip = (carried or {}).get(word, 0)
        elif carried is not None and not word.startswith("-"):
            _add(rest[number:], tools, functions)
            return
        if name == "sh" and word == "-c":
            inner = rest[number + 1] if number + 1 < len(rest) else ""
            if inner.startswith("'"):
                for tool, inner_options in used_tools(inner.strip("'")).items():
                    tools[tool] |= inner_options
            return


def _add_find(words: list[str], tools: defaultdict[str, set[str]], functions: frozenset[str]) -> None:
    for number, word in enumerate(words):
        if re.fullmatch(r"-[a-z0-9]{2,}|-o|!", word) and word != "-exec" and words[number - 1] != "-size":
            tools["find"].add(word)
        if word == "\\(":
            tools["find"].add("(")
        if word == "-exec":
            inner = words[number + 1 :]
            stop = next((n for n, text in enumerate(inner) if text in {"+", "\\;"}), len(inner))
            tools["find"].add("-exec +" if inner[stop : stop + 1] == ["+"] else "-exec ;")
            _add(inner[:stop], tools, functions)
            _add_find(inner[stop + 1 :], tools, functions)
            return


def _letters(word: str) -> set[str]:
    """Return the options in a word: `-xpf` has three."""
    if word.startswith("--") or word[1:].isdigit() or word == "-sha256":
        return {word.partition("=")[0]}
    return {f"-{letter}" for letter in word[1:]}
