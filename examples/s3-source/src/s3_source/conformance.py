"""What the conformance kit tries this source on: the tests and `plugport conform s3-source` use it."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping

import boto3
from moto.server import ThreadedMotoServer
from plugport.hookspecs import Source
from plugport.hookspecs.conformance import SourceUnderTest

from s3_source import provider

FILES = {"plugin.yaml": b"name: hello\nversion: 1\n", "skills/hello/SKILL.md": b"# Hello\n", "run.sh": b"#!/bin/sh\n"}
PRETENDED = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}


def archive(files: Mapping[str, bytes]) -> bytes:
    """Pack a plugin as a tar.gz. Files that end in .sh are executable."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755 if path.endswith(".sh") else 0o644
            opened.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@contextlib.contextmanager
def target() -> Iterator[SourceUnderTest]:
    """Describe the provider with moto's S3 on loopback."""
    before = {name: os.environ.get(name) for name in PRETENDED}
    os.environ.update(PRETENDED)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}")

    def put(files: Mapping[str, bytes]) -> None:
        s3.put_object(Bucket="plugins", Key="team/hello.tar.gz", Body=archive(files))

    @contextlib.contextmanager
    def unreachable() -> Iterator[None]:
        """Let its client ask where nobody listens."""
        reachable, provider._s3 = provider._s3, boto3.client("s3", endpoint_url="http://127.0.0.1:9")
        try:
            yield
        finally:
            provider._s3 = reachable

    try:
        s3.create_bucket(Bucket="plugins", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        put(FILES)
        yield SourceUnderTest(
            provider,
            Source("s3", "plugins/team/hello.tar.gz"),
            FILES,
            executable=frozenset({"run.sh"}),
            name="hello",
            settings={"endpoint_url": f"http://{host}:{port}"},
            absent=Source("s3", "plugins/team/nobody.tar.gz"),
            malformed=("plugins", "plugins/hello.zip", "plugins/../hello.tar.gz", "UP/hello.tar.gz", ""),
            unreachable=unreachable,
            change=lambda: put(FILES | {"run.sh": b"#!/bin/sh\ntrue\n"}),
        )
    finally:
        s3.delete_object(Bucket="plugins", Key="team/hello.tar.gz")
        s3.delete_bucket(Bucket="plugins")
        server.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
