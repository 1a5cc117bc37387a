"""Packs what a script is told beside its arguments: a tar of small files on its standard input."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import BinaryIO


def orders_tar(contents: Mapping[str, bytes]) -> BinaryIO:
    """Return a tar of these files, by name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return stream
