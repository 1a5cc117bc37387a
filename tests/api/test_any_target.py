"""For any target and any plugin, through a running service: what was there comes back, byte for byte."""

from __future__ import annotations

import itertools
import json
import shutil
import time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support import adaptor
from support.delivered import tree
from support.service import Service

from plugport.core.pipeline.remove_tree import discard_tree

PLUGIN = "ours"
_MARKERS = [
    f"# Plugin: {PLUGIN} / rule: a.md",
    f"# Plugin: {PLUGIN} / fragment: N.md",
    "# Plugin: other / rule: a.md",
]
_TEXTS = [
    "",
    "A rule.",
    "A rule.\n",
    "First.\n\nSecond.\n\n\n",
    "```\ncode\n```\n",
    "~~~\nopen\n",
    "é\n\n# Plugin: x\n\n",
]
_COMMANDS = ["${CLAUDE_DIR}/hooks/a.sh", "mine.sh", "x"]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A running service, the same for all examples."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "plugins").mkdir()
    started = Service(folder)
    yield started
    started.stop()


_HANDLERS = st.lists(
    st.fixed_dictionaries(
        {"hooks": st.lists(st.fixed_dictionaries({"command": st.sampled_from(_COMMANDS)}), max_size=2)},
        optional={"matcher": st.sampled_from(["Bash", "*"])},
    ),
    max_size=3,
)
_SERVERS = st.dictionaries(
    st.sampled_from(["s1", "s2", "é"]),
    st.sampled_from([{}, {"command": "x"}, {"command": "x", "n": 1.5}, "text", [1]]),
)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "hooks": st.dictionaries(st.sampled_from(["Stop", "PreToolUse"]), _HANDLERS, max_size=2),
        "mcpServers": _SERVERS,
        "env": st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(["1", "2"])),
        "model": st.sampled_from(["opus", "x", None, 1]),
        "odd": st.sampled_from(["caf\u00e9", "\ud800", 1e300, -0.0, 10**30, True, [], {}]),
    },
)


def _spelled(value, style):
    text = json.dumps(value, **style)
    return ("\ufeff" if style.get("indent") == 1 else "") + text + ("\n" if style.get("indent") == 2 else "")


_SPELLED_SETTINGS = st.builds(
    lambda value, style: _spelled(value, style).encode("utf-8", "surrogatepass"),
    _SETTINGS,
    st.sampled_from(
        [{"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"ensure_ascii": True}, {"indent": 4}]
    ),
)
_ODD_SETTINGS = st.one_of(
    _SPELLED_SETTINGS,
    _SPELLED_SETTINGS.map(lambda text: text.replace(b"\n", b"\r\n")),
    _SPELLED_SETTINGS.map(lambda text: b"\xef\xbb\xbf" + text),
    _SPELLED_SETTINGS.map(lambda text: text.replace(b"{", b"{ // mine\n", 1)),
    _SPELLED_SETTINGS.map(
        lambda text: text.rstrip()[:-1] + b', "n": 1.10, "u": "caf\\u00e9\\/", "n": 1e400}' if len(text) > 4 else text
    ),
    st.sampled_from([b"", b"{}", b"[]", b"null", b"{", b'{"a": ' * 3000, b"[" * 3000 + b"]" * 3000, b"\xff", b"\0"]),
    st.binary(max_size=30),
)
_MEMORY = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.lists(
        st.sampled_from(
            [
                b"# Mine\n",
                b"no end",
                b"\r\n",
                b"\n",
                b"caf\xe9\r",
                b"```\n",
                b"~~~~ x\n",
                *(f"{marker}\n\n{text}\n\n".encode() for marker in _MARKERS for text in _TEXTS[1:3]),
                *(f"{marker}\r\n".encode() for marker in _MARKERS),
            ]
        ),
        max_size=8,
    ).map(b"".join),
)
_BYTES = st.sampled_from([b"#!/bin/sh\n", b"other\n", b"", b"\xff\0\r\n"])
_COPIED = [
    "skills/s/SKILL.md",
    "skills/s/x/deep.txt",
    "skills/t/SKILL.md",
    "hooks/a.sh",
    "hooks/b.py",
    "commands/c.md",
]
_PLUGINS = st.builds(
    lambda copied, texts, fragment: (
        dict(copied)
        | {path: text.encode() for path, text in texts.items()}
        | ({} if fragment is None else {"settings-fragment.json": fragment})
    ),
    st.dictionaries(st.sampled_from(_COPIED), _BYTES, max_size=4),
    st.dictionaries(
        st.sampled_from(["rules/a.md", "rules/b.md", "N.md", "README.md"]), st.sampled_from(_TEXTS), max_size=3
    ),
    st.one_of(
        st.none(),
        _SETTINGS.filter(lambda value: value.get("odd") != "\ud800").map(lambda value: json.dumps(value).encode()),
        _SETTINGS.filter(lambda value: value.get("odd") != "\ud800").map(lambda value: json.dumps(value).encode()),
        st.sampled_from([b"", b"[", b"[]", b"null", b"\xff", b"{", b'{"hooks": ', b"[" * 5000]),
    ),
)
_THERE = st.builds(
    lambda copied, memory, settings_text, more: (
        {(path if path.startswith("skills/") else f".claude/{path}"): content for path, content in copied.items()}
        | ({} if memory is None else {"CLAUDE.md": memory})
        | ({} if settings_text is None else {".claude/settings.json": settings_text})
        | more
    ),
    st.dictionaries(st.sampled_from(_COPIED), _BYTES, max_size=3),
    _MEMORY,
    st.one_of(st.none(), _ODD_SETTINGS),
    st.dictionaries(
        st.sampled_from(["skills/s/mine.md", "skills/mine/SKILL.md", ".claude/hooks/mine.sh"]), _BYTES, max_size=2
    ),
)


def _write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


_count = itertools.count()


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # an example takes too long to shrink it
)
@given(_THERE, _PLUGINS, st.booleans())
def test_what_was_there_comes_back(service, there, plugin, starts):
    name = f"{next(_count)}"
    config, source = service.folder / f"w{name}", service.folder / "plugins" / PLUGIN
    expected = service.folder / f"expected{name}"
    _write(source, {"plugin.yaml": b"name: ours\nversion: 1.0.0\n"} | plugin)
    for folder in (config, expected):
        folder.mkdir()
        _write(folder, there)
    body = {
        "id": f"w{name}",
        "org": "acme",
        "runtime": "claude-code",
        "backend": "host",
        "options": {"path": str(config)},
    }
    assert service.client.post("/workspaces", json=body).status_code == 201
    try:
        reply = service.client.post(f"/workspaces/w{name}/plugins", json={"source": PLUGIN})
        assert reply.status_code == 200, reply.text
        if starts:
            adaptor.start(config)
            adaptor.apply_empty(expected, with_settings=plugin.get("settings-fragment.json", b"")[-1:] == b"}")
        reply = service.client.delete(f"/workspaces/w{name}/plugins/{PLUGIN}")
        assert reply.status_code == 200, reply.text
        assert tree(config) == tree(expected), (there, plugin, starts)
    finally:
        discard_tree(source)
        shutil.rmtree(config)
        shutil.rmtree(expected)


async def test_rules_and_entries_of_settings_take_linear_time(serve, add_plugin, tmp_path):
    """The cost of an install, the agent's start and an uninstall, four times as much of everything."""

    async def seconds(count):
        add_plugin(
            f"many{count}",
            {f"rules/r{n:05}.md": f"Rule {n}.\n\n```\nText.\n" for n in range(count)}
            | {
                "settings-fragment.json": json.dumps(
                    {
                        "mcpServers": {f"ours{n}": {"command": "x"} for n in range(count)},
                        "hooks": {
                            "Stop": [{"matcher": str(n), "hooks": [{"command": str(n)}]} for n in range(count)]
                        },
                    }
                )
            },
        )
        config = tmp_path / f"agent{count}"
        (config / ".claude").mkdir(parents=True)
        memory = b"# Plugin: other / rule: r.md\n```\n" * count
        (config / "CLAUDE.md").write_bytes(memory)
        (config / ".claude/settings.json").write_text(json.dumps({"env": {f"mine{n}": "1" for n in range(count)}}))
        options = {"path": str(config)}
        body = {"id": f"w{count}", "org": "acme", "runtime": "claude-code", "backend": "host", "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        started = time.process_time()
        reply = await admin.post(f"/workspaces/w{count}/plugins", json={"source": f"many{count}"})
        assert reply.status_code == 200, reply.text
        took = time.process_time() - started
        adaptor.start(config)
        started = time.process_time()
        reply = await admin.delete(f"/workspaces/w{count}/plugins/many{count}")
        assert reply.json()["left"] == [], reply.text
        assert (config / "CLAUDE.md").read_bytes() == memory
        return took + time.process_time() - started

    async with serve() as admin:
        await seconds(10)
        few, many = await seconds(300), await seconds(1200)
        assert many < 4 * 2.5 * max(few, 0.05), (few, many)
