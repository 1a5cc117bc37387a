"""The promises about what a backend does beside a plugin's directory, and about asking the agent."""

from __future__ import annotations

import hashlib
from typing import Final

from ...values import (
    Answer,
    PathKind,
    Question,
    Receipt,
    Removal,
    Seen,
    SeenState,
    TargetChanges,
    TargetCopy,
    TargetLink,
    TargetQuery,
    TargetState,
    TargetWrite,
)
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..runner import Harness, undeclared
from .assertions import NAME, NEW, deliver, push_promise, uninstall
from .fixtures import BackendPromises

_OLD, _NEW = b"{ // old\n}", b'{ // old\n"kit": true\xff\n}'
_SETTINGS, _COPY, _LINK = ".claude/settings.json", "skills/kit-copy", "skills/kit-link"
_MAX_OUTPUT: Final = 8
_activating = push_promise("inspect_target", "uninstall")


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


_CHANGES: Final = TargetChanges(
    copies=(TargetCopy(_COPY, True),),
    writes=(
        TargetWrite(_SETTINGS, _NEW, _sha256(_OLD)),
        TargetWrite(".claude/kit/run", b"#!/bin/sh\n", None, executable=True),
        TargetWrite(".claude/gone", None, _sha256(b"gone")),
    ),
    links=(TargetLink(_LINK, f"../plugins/{NAME}"),),
)


class ActivationPromises(BackendPromises):
    """All of an activation is made, or nothing. Undeclared if `deliver` does not take `activation`."""

    @_activating
    async def test_an_activation_is_made_and_may_be_repeated(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """The copy, the files and the link are there after the delivery."""
        _prepare(harness, under_test)
        for _ in range(2):
            receipt = await _activate(harness, under_test, new, _CHANGES)
            assert (receipt.digest, receipt.refused) == (new.digest, ())
            files = under_test.place.read()
            assert files[_SETTINGS].content == _NEW
            assert files[".claude/kit/run"].executable
            assert ".claude/gone" not in files
            assert {path: files[f"{_COPY}/{path}"].content for path in NEW} == NEW
            states = (await _inspect(harness, under_test, _LINK)).paths
            assert (states[_LINK].kind, states[_LINK].link) == (PathKind.LINK, f"../plugins/{NAME}")

    @_activating
    async def test_what_stands_in_the_way_is_refused_and_nothing_is_changed(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """A file that changed since it was read is named; neither it nor anything else beside the plugin changes."""
        _prepare(harness, under_test)
        under_test.place.write(_SETTINGS, b"changed meanwhile")
        receipt = await _activate(harness, under_test, new, _CHANGES)
        assert receipt.refused == (_SETTINGS,)
        files = under_test.place.read()
        assert files[_SETTINGS].content == b"changed meanwhile"
        assert files[".claude/gone"].content == b"gone"
        assert not any(path.startswith((_COPY, ".claude/kit")) for path in files)

    @_activating
    async def test_no_activation_goes_through_a_link(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """What lies behind a link is named, and nothing is written there."""
        _prepare(harness, under_test)
        under_test.place.link("skills", ".claude")
        receipt = await _activate(harness, under_test, new, _CHANGES)
        assert set(receipt.refused) == {_COPY, _LINK}
        assert set(under_test.place.read()) >= {_SETTINGS, ".claude/gone"}
        assert not any("kit" in path for path in under_test.place.read() if path.startswith(".claude"))

    @_activating
    async def test_an_activation_is_undone(self, harness: Harness, under_test: BackendUnderTest, new: Bundle) -> None:
        """An uninstall makes the changes of its removal first, and removes the folders that are empty then."""
        _prepare(harness, under_test)
        await _activate(harness, under_test, new, _CHANGES)
        undo = TargetChanges(
            copies=(TargetCopy(_COPY, False, new.digest),),
            writes=(
                TargetWrite(_SETTINGS, _OLD, _sha256(_NEW)),
                TargetWrite(".claude/kit/run", None, _sha256(b"#!/bin/sh\n")),
            ),
            links=(TargetLink(_LINK, None, f"../plugins/{NAME}"),),
            folders=(".claude/kit", "skills", ".claude"),
        )
        receipt = await uninstall(harness, under_test, Removal(NAME, changes=undo))
        assert (receipt.refused, receipt.kept) == ((), ())
        files = {path: state.content for path, state in under_test.place.read().items()}
        assert {path: files[path] for path in files if not path.startswith("plugins/")} == {_SETTINGS: _OLD}
        assert not {"skills", ".claude/kit"} & under_test.place.folders()

    @_activating
    async def test_what_was_edited_in_a_copy_is_set_aside(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """A copy that somebody edited is replaced, and what was edited is kept and named."""
        _prepare(harness, under_test)
        await _activate(harness, under_test, new, _CHANGES)
        under_test.place.write(f"{_COPY}/notes.md", b"notes")
        receipt = await _activate(harness, under_test, new, TargetChanges(copies=(TargetCopy(_COPY, True),)))
        assert f"{_COPY}/notes.md" not in under_test.place.read()
        kept = {path for folder in receipt.kept for path in under_test.place.read() if path.startswith(folder)}
        assert any(path.endswith("notes.md") for path in kept)

    @push_promise("ask")
    async def test_the_agents_command_is_run_and_its_answer_bounded(
        self, harness: Harness, under_test: BackendUnderTest
    ) -> None:
        """The answer has the exit code and at most the bytes that were asked for; a missing command is 127."""
        script = 'printf "%s" "$KIT$1"; exit 3'
        question = Question(("sh", "-c", script, "x", "'a' $b long"), _read, {"KIT": "k "}, _MAX_OUTPUT)
        answer: Answer = await harness.call("ask", workspace=under_test.workspace, question=question)
        assert answer.output == b"k 'a' $b"
        absent = Question(("plugport-kit-no-such-command",), _read)
        missing: Answer = await harness.call("ask", workspace=under_test.workspace, question=absent)
        assert missing.exit_code == 127


def _read(answer: Answer) -> Seen:
    return Seen(SeenState.UNKNOWN, f"exit {answer.exit_code}")


def _prepare(harness: Harness, under_test: BackendUnderTest) -> None:
    if "activation" not in harness.provider.hooks["deliver"].arguments:
        undeclared("activation")
    under_test.place.write(_SETTINGS, _OLD)
    under_test.place.write(".claude/gone", b"gone")


async def _activate(
    harness: Harness, under_test: BackendUnderTest, bundle: Bundle, changes: TargetChanges
) -> Receipt:
    return await deliver(harness, under_test, bundle, activation=changes)


async def _inspect(harness: Harness, under_test: BackendUnderTest, path: str) -> TargetState:
    state: TargetState = await harness.call(
        "inspect_target", workspace=under_test.workspace, query=TargetQuery((path,))
    )
    return state
