"""The source `s3-source://<name>`: plugins from a registry, which serves each as `<url>/<name>.tar.gz`.

Settings: `PLUGPORT_S3_SOURCE_URL`, and `PLUGPORT_S3_SOURCE_TOKEN` where the registry wants one.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from plugport.hookspecs import Resolved, ServiceSettings, Source, StartupContext, hookimpl
from plugport.hookspecs.errors import (
    BundleFault,
    BundleTooLarge,
    InvalidSource,
    PluginNotFound,
    SourceFault,
    SourceUnavailable,
    UnsafeBundle,
)

__all__ = ["provider"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}\Z")
_SECONDS = 30


class S3Source:
    """A plain `def` runs in a worker thread, so that nothing waits for the registry but the install itself."""

    schemes = ("s3-source",)

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Take the settings. What is raised here is what `plugport providers` and the log say."""
        self._url = context.settings.get("url", "").rstrip("/")
        if not self._url:
            raise ValueError("set PLUGPORT_S3_SOURCE_URL to the registry's address")
        self._token = context.settings.get("token")
        self._service: ServiceSettings = context.service

    @hookimpl
    def resolve_source(self, source: Source, destination: Path) -> Resolved:
        """Put the plugin's files into `destination`."""
        if not _NAME.match(source.spec):
            raise InvalidSource(SourceFault.BAD_SPEC)
        with tempfile.TemporaryFile() as archive:
            self._download(source.spec, archive)
            archive.seek(0)
            self._unpack(archive, destination)
        return Resolved(source.spec)

    def _download(self, name: str, archive: IO[bytes]) -> None:
        request = urllib.request.Request(f"{self._url}/{name}.tar.gz")
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
                while chunk := reply.read(1 << 16):
                    archive.write(chunk)
                    if archive.tell() > self._service.max_tree_bytes:
                        raise BundleTooLarge(self._service.max_tree_bytes)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise PluginNotFound(f"{name} is not in the registry") from error
            raise SourceUnavailable(f"the registry answered {error.code}") from error
        except OSError as error:
            raise SourceUnavailable(f"the registry cannot be reached: {error}") from error

    def _unpack(self, archive: IO[bytes], destination: Path) -> None:
        size = 0
        try:
            with tarfile.open(fileobj=archive, mode="r:gz") as opened:
                for one in opened:
                    size += one.size
                    if size > self._service.max_tree_bytes:
                        raise BundleTooLarge(self._service.max_tree_bytes)
                    opened.extract(one, destination, filter="data")
        except tarfile.FilterError as error:
            raise UnsafeBundle(error.tarinfo.name, BundleFault.LINK_OUTSIDE) from error
        except (tarfile.TarError, EOFError, OSError) as error:
            raise SourceUnavailable(f"the registry's archive cannot be read: {error}") from error


provider = S3Source()
