"""Blocks of a plugin leave an agent's memory file; every other byte stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugport.core.pipeline.memory_file import Appended, Block, MemoryBefore, observe_memory, remove_blocks

PIECES = st.sampled_from(
    ["a", "b c", "", " ", "```", "```py", "~~~~", "\n", "\n\n", "\r\n", "\r", "# x", "# Plugin: ", "é", "\ud800"]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
MEMORY = TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=30)


def _append(memory, blocks, *, strip=False, newline=True):
    """An adaptor: as facts/agent-runtime.md has it, with or without a line break before its first block."""
    content = memory or b""
    for block in blocks:
        if block.marker in [line.rstrip(b"\r\n") for line in content.splitlines(keepends=True)]:
            continue
        text = block.text.replace("\r\n", "\n").replace("\r", "\n")
        if strip:
            text = text.strip() + "\n"
        if newline and content and not content.endswith((b"\n", b"\r")):
            content += b"\n"
        body = text if text.endswith("\n") else text + "\n"
        content += block.marker + b"\n\n" + body.encode("utf-8", "surrogatepass") + b"\n"
    return content or memory


def _blocks(plugin, texts):
    return tuple(Block(plugin, "rule", f"{number}.md", text) for number, text in enumerate(texts))


@settings(max_examples=500)
@given(
    mine=st.none() | MEMORY,
    first=st.lists(TEXTS.filter(lambda text: "# Plugin: " not in text), max_size=3),
    second=st.lists(TEXTS.filter(lambda text: "# Plugin: " not in text), max_size=3),
    strip=st.booleans(),
    order=st.booleans(),
)
def test_install_adaptor_and_removal_give_back_every_byte(mine, first, second, strip, order):
    content = mine
    known: list = []
    for plugin, texts in (("p", first), ("q", second)):
        blocks = _blocks(plugin, texts)
        known.append(Appended(blocks, observe_memory(content, blocks, known)))
        content = _append(content, blocks, strip=strip)
    for appended in known if order else reversed(known):
        if content is not None:
            edited = remove_blocks(content, [appended])
            assert edited.left == ()
            content = edited.content
    assert content == mine


@given(mine=MEMORY, texts=st.lists(TEXTS, max_size=3))
def test_without_an_adaptor_every_byte_stays(mine, texts):
    blocks = _blocks("p", texts)
    assert remove_blocks(mine, [Appended(blocks, observe_memory(mine, blocks))]).content == mine
    assert remove_blocks(
        _append(mine, blocks), [Appended(blocks, observe_memory(_append(mine, blocks), blocks))]
    ).content == (_append(mine, blocks))


BLOCK = Block("p", "rule", "r.md", "Be kind.\n\nAlways.\n")
WRITTEN = b"# Plugin: p / rule: r.md\n\nBe kind.\n\nAlways.\n\n"


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b"mine\n" + WRITTEN + b"after\n", b"mine\nafter\n"),
        (b"mine\n" + WRITTEN.replace(b"\n", b"\r\n") + b"after", b"mine\nafter"),
        (
            b"m\xff\r\n" + WRITTEN + WRITTEN + b"# Plugin: q / rule: r.md\n\nx",
            b"m\xff\r\n# Plugin: q / rule: r.md\n\nx",
        ),
        (b"```\n" + WRITTEN + b"```\n", None),
        (b"~~~~ text\n" + WRITTEN + b"~~~\n~~~~~\n" + WRITTEN, b"~~~~ text\n" + WRITTEN + b"~~~\n~~~~~\n"),
        (b"```never closed\n" + WRITTEN, b"```never closed\n"),
        (b"    ```\n" + WRITTEN + b"    ```\n", b"    ```\n    ```\n"),
        (b" # Plugin: p / rule: r.md\n\nBe kind.\n\nAlways.\n\n", None),
    ],
)
def test_only_whole_blocks_outside_of_quotations_go(content, rest):
    edited = remove_blocks(content, [Appended((BLOCK,))])
    assert edited.content == (content if rest is None else rest)
    assert edited.left == ()


@pytest.mark.parametrize(
    "block", [BLOCK, Block("p", "rule", "r.md", None)], ids=["edited", "a text that is not remembered"]
)
def test_what_is_edited_or_not_known_stays_and_is_named(block):
    content = b"mine\n" + WRITTEN.replace(b"kind", b"cruel")
    edited = remove_blocks(content, [Appended((block,))])
    assert (edited.content, edited.left) == (content, ("rule: r.md",))
    gone = remove_blocks(b"mine\n", [Appended((block,))])
    assert (gone.content, gone.left) == (b"mine\n", ())


def test_a_block_that_was_there_before_stays():
    before = observe_memory(WRITTEN, [BLOCK])
    assert before.markers == ("# Plugin: p / rule: r.md",)
    assert remove_blocks(WRITTEN, [Appended((BLOCK,), before)]).content == WRITTEN


def test_a_file_that_was_there_is_not_deleted_and_one_that_was_not_is():
    assert remove_blocks(WRITTEN, [Appended((BLOCK,), observe_memory(b"", [BLOCK]))]).content == b""
    assert remove_blocks(WRITTEN, [Appended((BLOCK,), observe_memory(None, [BLOCK]))]).content is None


@given(mine=st.none() | MEMORY)
def test_what_was_before_survives_the_store(mine):
    before = observe_memory(mine, [BLOCK])
    assert MemoryBefore.from_json(json.loads(json.dumps(before.to_json()))) == before


def test_a_thousand_rules_take_linear_time():
    blocks = _blocks("p", [f"rule {number}\n" * 40 for number in range(1000)])
    content = b"```\nopen\n" + _append(b"mine\n```\n" * 1000, [])
    before = observe_memory(content, blocks)
    written = content + b"".join(_append(b"", [block]) for block in blocks)
    assert remove_blocks(written, [Appended(blocks, before)]).content == content
    assert remove_blocks(b"```a\n```b\n" * 20_000 + written, [Appended(blocks)]).content is not None


def test_blocks_go_after_an_update_that_changed_nothing_in_them():
    first = Appended((BLOCK,), observe_memory(b"mine\n", [BLOCK]))
    written = b"mine\n" + WRITTEN
    second = Appended((BLOCK,), observe_memory(written, [BLOCK], [first]))
    assert remove_blocks(written, [second, first]).content == b"mine\n"
