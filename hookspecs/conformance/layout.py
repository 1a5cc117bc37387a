"""The promises of a layout, as tests: subclass `LayoutConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import posixpath
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import pytest

from .. import errors
from ..values import (
    JSON,
    Activation,
    Answer,
    BundleFile,
    Component,
    ComponentKind,
    Contents,
    LayoutTarget,
    PathKind,
    PathState,
    Seen,
    SeenState,
    TargetState,
)
from .description import LayoutUnderTest
from .runner import Harness, assert_error_is_safe, declared, outcome, promise

_NAME: Final = "demo"
_FRONT_MATTER: Final = b"---\nname: hello\ndescription: Says hello.\n---\n\nText that is long enough.\n"
FILES: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "skills/hello/SKILL.md": _FRONT_MATTER,
        "deep/er/other/SKILL.md": _FRONT_MATTER,
        "rules/style.md": b"Be brief.\n",
        "commands/greet.md": b"---\ndescription: Greets.\n---\n\nGreet $ARGUMENTS.\n",
        "commands/bye.toml": b'prompt = "Bye {{args}}"\n',
        "agents/helper.md": _FRONT_MATTER,
        "hooks/hooks.json": b"{}",
        "run.sh": b"exit 0\n",
    }
)
"""The files of the plugin that is laid out."""

_EVERY: Final = (
    Component(ComponentKind.SKILL, "hello", "skills/hello/SKILL.md", "Says hello."),
    Component(ComponentKind.SKILL, "other", "deep/er/other/SKILL.md", "Says more."),
    Component(ComponentKind.RULE, "style", "rules/style.md"),
    Component(ComponentKind.COMMAND, "greet", "commands/greet.md", "Greets."),
    Component(ComponentKind.COMMAND, "bye", "commands/bye.toml"),
    Component(ComponentKind.SUBAGENT, "helper", "agents/helper.md", "Helps.", data={"tools": "Read, Bash"}),
    Component(
        ComponentKind.HOOK,
        "SessionStart",
        "hooks/hooks.json",
        data={"event": "SessionStart", "type": "command", "command": "sh ${CLAUDE_PLUGIN_ROOT}/run.sh"},
    ),
    Component(
        ComponentKind.MCP_SERVER,
        "echo",
        ".mcp.json",
        data={"command": "sh", "args": ["${CLAUDE_PLUGIN_ROOT}/run.sh"]},
    ),
    Component(ComponentKind.SETTINGS, "settings", "settings.json", data={"model": "x"}),
    Component(ComponentKind.ASSET, "run.sh", "run.sh"),
)
WHOLE: Final = Contents("claude", _NAME, "1.0.0", "A demo.", "Somebody", components=_EVERY)
"""A plugin with a component of every kind."""

_WRONG: Final[tuple[JSON, ...]] = (
    None,
    True,
    -1,
    1e300,
    "",
    "../../../etc/passwd",
    "a\nb\x00\u202e",
    [],
    [[]],
    {},
    {"a": [None]},
)


def _odd() -> Iterator[Contents]:
    yield Contents("skills")
    yield Contents("x", "a/../b", "\n", "\x00", components=(Component(ComponentKind.SKILL, "", "SKILL.md"),))
    keys = (
        "name",
        "description",
        "tools",
        "event",
        "matcher",
        "type",
        "command",
        "args",
        "env",
        "url",
        "timeout",
        "paths",
    )
    for value in _WRONG:
        data = dict.fromkeys(keys, value)
        text = value if isinstance(value, str) else "x"
        paths = ("a/SKILL.md", "a.md", "b.toml", "c", "hooks/hooks.json", ".mcp.json")
        yield Contents(
            "claude",
            _NAME,
            components=tuple(
                Component(kind, text, path, text, data=data) for kind in ComponentKind for path in paths
            ),
        )


class LayoutConformance:
    """Each test is one promise. A test that needs `refused` is skipped if the author left it out."""

    @pytest.fixture
    def under_test(self) -> Iterator[LayoutUnderTest]:
        """Describe the layout: override this."""
        raise NotImplementedError("override the fixture `under_test` and yield a LayoutUnderTest")

    @promise("lay_out")
    async def test_the_same_plugin_is_laid_out_in_the_same_way(
        self, harness: Harness, under_test: LayoutUnderTest
    ) -> None:
        """The answer depends on the arguments alone, and changes nothing in them."""
        contents = copy.deepcopy(_plain(WHOLE))
        answers = [_plain(await _lay_out(harness, WHOLE)) for _ in range(2)]
        assert answers[0] == answers[1], "two calls with the same arguments have two answers"
        assert _plain(WHOLE) == contents, "the contents were changed"

    @promise("lay_out")
    async def test_places_stay_in_the_config_dir_and_the_home(
        self, harness: Harness, under_test: LayoutUnderTest
    ) -> None:
        """Relative paths without `..`, none in plugport's own folder and none in the plugin's directory."""
        for activation in await _activations(harness):
            for place in _places(activation):
                path = place.removeprefix("~/")
                assert _is_below(path), repr(place)
                assert not f"{path}/".startswith(("plugins/.plugport/", f"plugins/{_NAME}/")), repr(place)
            for link in activation.links:
                assert f"{link.target}/".startswith(f"plugins/{_NAME}/"), f"{link.path} leads to {link.target!r}"

    @promise("lay_out")
    async def test_files_are_added_and_none_is_replaced(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """`tree_files` has none of the plugin's own files, and stays in its directory."""
        for activation in await _activations(harness):
            for path in activation.tree_files:
                assert path not in FILES, f"{path} is the plugin's own"
                assert _is_below(path), repr(path)

    @promise("lay_out")
    async def test_odd_contents_are_laid_out(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """Values of any type and files that are not there: what cannot be used is named, and nothing is raised."""
        for contents in _odd():
            for files in (FILES, {}):
                answer, error = await outcome(_lay_out(harness, contents, files))
                assert error is None, f"it raised {error!r}"
                assert isinstance(answer, Activation)

    @promise("lay_out")
    async def test_what_it_enters_is_data(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """Values of settings are JSON, and every entry says where it stands."""
        for activation in await _activations(harness):
            for entry in (*activation.entries, *(entry for grant in activation.grants for entry in grant.entries)):
                json.dumps(_plain(entry.value))
                assert entry.keys, entry
                assert all(isinstance(key, str) for key in entry.keys), entry

    @promise("lay_out")
    async def test_what_it_cannot_do_is_named(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """Each of `unsupported` is a component of the plugin, and says why."""
        labels = {f"{component.kind.value} {component.name}" for component in WHOLE.components}
        for unsupported in (await _lay_out(harness, WHOLE)).unsupported:
            assert unsupported.component in labels, f"{unsupported.component} is none of the plugin's"
            assert unsupported.why.strip()

    @promise("lay_out")
    async def test_every_answer_of_the_agent_is_read(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """Whatever the agent's command prints, `read` says YES, NO or UNKNOWN, and why if it is not YES."""
        question = declared((await _lay_out(harness, WHOLE)).question, "a question")
        texts = (
            b"",
            b"{",
            b"null",
            b"[1]",
            b'{"a": 1}',
            b"[" * 100_000,
            b"\xff\x00demo",
            b"demo (1.0.0)\n",
            b'"demo"',
        )
        for output in texts:
            for exit_code in (0, 1, 127, None):
                seen = question.read(Answer(exit_code, output, output))
                assert isinstance(seen, Seen)
                assert (seen.reason is None) == (seen.state is SeenState.YES), seen
        ended = question.read(Answer(None, b"", b""))
        assert ended.state is SeenState.UNKNOWN, "a command that did not end says nothing"

    @promise("lay_out")
    async def test_every_state_of_the_target_is_checked(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """`check` returns findings for whatever lies at the paths of its query, and for an empty answer."""
        activation = await _lay_out(harness, WHOLE)
        query = activation.query
        paths = (*query.paths, *query.contents, *query.trees)
        for state in (PathState(kind, content=b"\xff{") for kind in PathKind):
            activation.check(TargetState("/c", "/h", dict.fromkeys(paths, state)))
        activation.check(TargetState("/c"))

    @promise("lay_out")
    async def test_a_name_that_the_runtime_refuses_is_refused(
        self, harness: Harness, under_test: LayoutUnderTest
    ) -> None:
        """`ActivationImpossible`, before anything is written."""
        for name in declared(under_test.refused, "names that are refused"):
            _, error = await outcome(_lay_out(harness, WHOLE, name=name))
            assert isinstance(error, errors.ActivationImpossible), f"{name} was laid out"
            assert_error_is_safe(error, "lay_out")

    @promise("lay_out")
    async def test_a_thousand_skills_take_no_second(self, harness: Harness, under_test: LayoutUnderTest) -> None:
        """A layout is part of every install."""
        skills = [dataclasses.replace(_EVERY[0], name=f"s{i}", path=f"skills/s{i}/SKILL.md") for i in range(1000)]
        files = {skill.path: _FRONT_MATTER for skill in skills}
        before = time.process_time()
        await _lay_out(harness, dataclasses.replace(WHOLE, components=tuple(skills)), files)
        assert time.process_time() - before < 1.0


def _is_below(path: str) -> bool:
    """Return whether a path is relative, in one spelling, and leads to nothing above."""
    return posixpath.normpath(path) == path and not path.startswith(("/", "..")) and "\x00" not in path


async def _lay_out(
    harness: Harness, contents: Contents, files: Mapping[str, bytes] = FILES, name: str = _NAME
) -> Activation:
    layout = harness.provider.layouts[0]
    listed = tuple(
        BundleFile(path, len(files[path]), False, hashlib.sha256(files[path]).hexdigest()) for path in sorted(files)
    )
    target = LayoutTarget(
        name,
        "sha256:" + "0" * 64,
        layout,
        read=lambda path: files[path],
        files=listed,
        chunks=lambda path: iter([files[path]]),
    )
    activation: Activation = await harness.call("lay_out", contents=contents, target=target)
    return activation


async def _activations(harness: Harness) -> list[Activation]:
    """Return what the layout makes of the whole plugin and of odd ones. That it raises is another test's."""
    answers = [await outcome(_lay_out(harness, contents)) for contents in (WHOLE, *_odd())]
    return [answer for answer, error in answers if error is None]


def _places(activation: Activation) -> Iterator[str]:
    grants = activation.grants
    yield from (link.path for link in activation.links)
    yield from (made.path for made in activation.copies)
    yield from (text.path for text in activation.texts)
    yield from (file.path for file in (*activation.files, *(file for grant in grants for file in grant.files)))
    yield from (
        entry.path for entry in (*activation.entries, *(entry for grant in grants for entry in grant.entries))
    )


def _plain(value: Any) -> Any:
    """Return a value as dictionaries and lists, without the functions in it: they are new each time."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if callable(value) else value
