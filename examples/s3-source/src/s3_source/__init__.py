"""The source `s3://<bucket>/<path>/<name>.tar.gz`: a plugin that is an archive in S3, or in anything with its API.

Credentials and region are boto3's own (`AWS_…`). Setting: `PLUGPORT_S3_SOURCE_ENDPOINT_URL`, for what is not AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plugport.hookspecs import Resolved, ServiceSettings, Source, StartupContext, hookimpl, unpack
from plugport.hookspecs.errors import InvalidSource, PluginNotFound, SourceFault, SourceUnavailable

__all__ = ["provider"]

_SPEC = re.compile(
    r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>(?:[\w!*'().-]+/)*(?P<name>[\w.-]+)\.tar\.gz)"
)
_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchBucket"})


class S3Source:
    """A plain `def` runs in a worker thread, where boto3 may wait."""

    schemes = ("s3",)

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Make the client. boto3 is imported here, so that listing the providers does not import it."""
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
        self._s3: Any = boto3.client("s3", endpoint_url=context.settings.get("endpoint_url"), config=config)
        self._service: ServiceSettings = context.service

    @hookimpl
    def shutdown(self) -> None:
        """Close its connections."""
        if hasattr(self, "_s3"):
            self._s3.close()

    @hookimpl
    def source_revision(self, source: Source) -> str | None:
        """Return the object's ETag, which changes with its bytes."""
        place = _parse(source.spec)
        return str(_ask(lambda: self._s3.head_object(Bucket=place["bucket"], Key=place["key"]))["ETag"])

    @hookimpl
    def resolve_source(self, source: Source, destination: Path) -> Resolved:
        """Unpack the archive while it is read. The plugin has its name."""
        place = _parse(source.spec)
        reply = _ask(lambda: self._s3.get_object(Bucket=place["bucket"], Key=place["key"]))
        with reply["Body"] as body:
            unpack(body, destination, self._service)
        return Resolved(place["name"], str(reply["ETag"]))


def _parse(spec: str) -> re.Match[str]:
    match = _SPEC.fullmatch(spec)
    if match is None or ".." in spec.split("/"):
        raise InvalidSource(SourceFault.BAD_SPEC)
    return match


def _ask(request: Callable[[], Any]) -> Any:
    """Return the answer of S3. The text of its errors goes into the log alone."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return request()
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            raise PluginNotFound("there is no such object") from error
        raise SourceUnavailable(f"S3 refused: {error}") from error
    except BotoCoreError as error:
        raise SourceUnavailable(f"S3 cannot be asked: {error}") from error


provider = S3Source()
