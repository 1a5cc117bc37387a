"""The trust in hooks as Codex writes it down.

The hashes here were printed by Codex 0.171.0 itself (`hooks/list`), with a slash between the two.
"""

from __future__ import annotations

import json

import pytest
from support.layouts import contents, hook, target

from plugport.builtin_backends.layouts import codex

MANIFEST = ".codex-plugin/plugin.json"


def hooks(event: str, **handler: object) -> dict[str, object]:
    return {"hooks": {event: [{"hooks": [{"type": "command", "command": "x", **handler}]}]}}


def trust(files: dict[str, object]) -> dict[str, str]:
    """What the grant writes for a plugin with these files, which are dumped as JSON unless they are texts."""
    tree = {path: (text if isinstance(text, str) else json.dumps(text)).encode() for path, text in files.items()}
    activation = codex.provider.lay_out(contents(hook("Stop", "x"), fmt="codex"), target("codex", tree))
    (grant,) = activation.grants
    assert not grant.files
    for entry in grant.entries:
        assert (entry.path, entry.keys[:-1]) == ("config.toml", ("hooks", "state"))
        assert isinstance(entry.value, dict)
        assert list(entry.value) == ["trusted_hash", "trusted_content_hash"]
    return {entry.keys[-1]: "/".join(entry.value.values()) for entry in grant.entries}  # type: ignore


def test_matchers_timeouts_and_messages_count_and_compiled_python_does_not():
    first = {"type": "command", "command": "${PLUGIN_ROOT}/é", "timeout": 5, "statusMessage": "hé"}
    groups = [
        {"matcher": "Bash", "hooks": [{**first, "async": True, "once": True}]},
        {"hooks": [{"type": "prompt", "prompt": "p"}, {"type": "command", "command": "y"}]},
    ]
    files = {MANIFEST: {"name": "demo"}, "hooks/hooks.json": {"hooks": {"PreToolUse": groups}}}
    odd = {"a-b": "1", "a/b": "2", "a.b": "3", "sub/__pycache__/x": "4", "x.pyc": "5"}
    bundle = "sha256:901e821d53d5a456cb623782af593e7a494eec222e4ab71109ec96a036378171"
    assert trust({**files, **odd}) == {
        "demo@plugport:hooks/hooks.json:pre_tool_use:0:0": (
            f"sha256:4cd395a609b53afcda2060408ef11e1be195ab8203afeb0cdee049741c31cc62/{bundle}"
        ),
        "demo@plugport:hooks/hooks.json:pre_tool_use:1:1": (
            f"sha256:129c4c7874d5cef7c942b09369954b89e87d03441886547a219fb4edfcba5513/{bundle}"
        ),
    }
    assert bundle not in str(trust({**files, **odd, "c": ""}))


def test_hooks_of_several_files_and_of_a_sessions_end():
    named = {"name": "demo", "hooks": ["./h.json", "./hooks/b.json"]}
    files = {MANIFEST: named, "h.json": hooks("SessionEnd"), "hooks/b.json": hooks("SessionEnd", timeout=9)}
    bundle = "sha256:f7460ce9e9904b6c43da58f863cdf76f8ef8b092ab9fa8daf13605a8a45fff5d"
    assert trust(files) == {
        "demo@plugport:h.json:session_end:0:0": (
            f"sha256:f3041eae9d0be5faed5367060d633bb905ed83825e2f4d9c7bc7f5ef19fe4bc7/{bundle}"
        ),
        "demo@plugport:hooks/b.json:session_end:0:0": (
            f"sha256:b1aa6329f3a5daf36ae487200db1136f90a884bb805ddb24a6326c98dd6f29f6/{bundle}"
        ),
    }


def test_hooks_in_the_manifest_and_an_event_without_matchers():
    second = {"hooks": {"Stop": [{"matcher": "x", "hooks": [{"type": "command", "command": "y"}]}]}}
    bundle = "sha256:81bc37e79a3496d3d99a761846ae8362c54771dc28a412de35a870e2c3a94e74"
    assert trust({MANIFEST: {"name": "demo", "hooks": [hooks("Stop", timeout=0), second]}}) == {
        "demo@plugport:plugin.json#hooks[0]:stop:0:0": (
            f"sha256:11fd1bf6c8c77203d96105ae853dcf6a961553dd267dbbe78f72ab20a8383a10/{bundle}"
        ),
        "demo@plugport:plugin.json#hooks[1]:stop:0:0": (
            f"sha256:c647ab6e5087e5a3bbb83b034cb305fd041a232585c5e9db485a8d6368c23f12/{bundle}"
        ),
    }


@pytest.mark.parametrize(
    "files",
    [
        {MANIFEST: "{"},
        {MANIFEST: "[]"},
        {MANIFEST: {"hooks": 5}, "hooks/hooks.json": "{}"},
        {MANIFEST: {"hooks": "../h.json"}},
        {MANIFEST: {"hooks": ["./h.json", {"hooks": {}}]}, "h.json": hooks("Stop")},
        {MANIFEST: {}, "hooks/hooks.json": hooks("Stop", type="mcp_tool")},
        {MANIFEST: {}, "hooks/hooks.json": hooks("Stop", timeout=1.5)},
        {MANIFEST: {}, "hooks/hooks.json": hooks("Stop", additionalContextLimit=5)},
        {MANIFEST: {}, "hooks/hooks.json": {"hooks": {"Stop": [{"matcher": 5, "hooks": []}]}}},
        {MANIFEST: {}, "hooks/hooks.json": {"hooks": {"Stop": {"hooks": []}}}},
        {MANIFEST: {}, "hooks/hooks.json": {"hooks": []}},
        {MANIFEST: {}},
    ],
)
def test_hooks_that_are_written_in_another_way_have_no_means_and_the_grant_says_what_a_person_does(files):
    assert trust(files) == {}
    tree = {path: (text if isinstance(text, str) else json.dumps(text)).encode() for path, text in files.items()}
    (grant,) = codex.provider.lay_out(contents(hook("Stop", "x"), fmt="codex"), target("codex", tree)).grants
    assert not grant.has_means
    assert "start `codex` and answer its question" in grant.why


def test_a_plugin_of_another_format_is_trusted_as_it_is_delivered():
    tree = {"hooks/run.sh": b"true\n"}
    activation = codex.provider.lay_out(contents(hook("Stop", "x")), target("codex", tree))
    ((entry,),) = (grant.entries for grant in activation.grants)
    assert entry.keys[2] == "demo@plugport:.codex-plugin/hooks.json:stop:0:0"
    own = {**tree, **activation.tree_files}
    (same,) = codex.provider.lay_out(contents(hook("Stop", "x"), fmt="codex"), target("codex", own)).grants
    assert same.entries[0].value == entry.value
