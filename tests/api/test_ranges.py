"""A download sends the ranges that are asked for (RFC 9110), and only a whole download counts as pulled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugport.core.api.byte_range import requested_ranges
from plugport.hookspecs import errors

PATH = "/workspaces/ext/plugins/greeter/download"


async def _external(admin):
    assert (await admin.post("/workspaces", json={"id": "ext", "org": "acme", "runtime": "external"})).is_success


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("lines=1-2", 200),
        ("Bytes = 0-9", 206),
        ("bytes=0-9", 206),
        ("bytes=-5", 206),
        ("bytes=3-", 206),
        ("bytes=0-99999999", 206),
        ("bytes=0-0,5-6", 206),
        ("bytes=0-0,99999999-", 206),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(40)), 200),
        ("bytes", 400),
        ("bytes=", 400),
        ("bytes=,", 400),
        ("bytes=a-b", 400),
        ("bytes=5-2", 400),
        ("bytes=--5", 400),
        ("bytes=1-2-3", 400),
        ("bytes=0x1-2", 400),
        ("bytes=99999999-", 416),
        ("bytes=-0", 416),
    ],
)
async def test_each_kind_of_range_has_its_answer(serve, add_plugin, header, status):
    add_plugin("greeter", {"rules/a.md": "Be kind."})
    async with serve() as admin:
        await _external(admin)
        whole = (await admin.get(PATH)).content
        reply = await admin.get(PATH, headers={"Range": header})
        assert reply.status_code == status, reply.text
        if status == 200:
            assert reply.content == whole
        if status >= 400:
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json()["request_id"]
        if status == 416:
            assert reply.headers["content-range"] == f"bytes */{len(whole)}"
            assert reply.json()["type"].endswith(":range-not-satisfiable")


async def test_only_a_whole_download_counts_as_pulled(serve, add_plugin):
    add_plugin("greeter", {"rules/a.md": "Be kind."})
    async with serve() as admin:
        await _external(admin)

        async def pulled(method="GET", **headers):
            reply = await admin.request(method, PATH, headers=headers)
            assert reply.is_success
            listed = (await admin.get("/workspaces/ext/plugins")).json()
            await admin.delete("/workspaces/ext")
            await _external(admin)
            return bool(listed)

        etag = (await admin.head(PATH)).headers["etag"]
        size = int((await admin.head(PATH)).headers["content-length"])
        assert not await pulled("HEAD")
        assert not await pulled(Range="bytes=0-9")
        assert not await pulled(Range="bytes=10-")
        assert not await pulled(Range="bytes=-1")
        assert not await pulled(Range="bytes=0-4,5-")
        assert not await pulled(Range="bytes=10-20", **{"If-Range": etag})
        assert await pulled()
        assert await pulled(Range="bytes=0-")
        assert await pulled(Range=f"bytes=0-{size - 1}")
        assert await pulled(Range="bytes=10-", **{"If-Range": '"another"'}), "the whole file was sent"
        assert await pulled(Range="bytes=10-", **{"If-Range": etag}), "the client got the rest that it lacked"


@given(st.text(max_size=40) | st.from_regex(r"bytes=[0-9,\- ]{0,30}", fullmatch=True), st.integers(1, 10_000))
def test_any_header_gives_ranges_inside_the_file_or_a_typed_refusal(header, size):
    try:
        ranges = requested_ranges(header, size)
    except (errors.InvalidRequest, errors.RangeNotSatisfiable):
        return
    assert all(0 <= first <= last < size for first, last in ranges)
