"""What the conformance kit tries this backend on: the tests and `plugport conform ssh-backend` use it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from plugport.hookspecs import Workspace
from plugport.hookspecs.conformance import BackendUnderTest, DirectoryPlace

from ssh_backend import provider


@contextlib.contextmanager
def target() -> Iterator[BackendUnderTest]:
    """The provider with a workspace of its own. The place looks at it by another way than the provider."""
    with tempfile.TemporaryDirectory() as folder:
        yield BackendUnderTest(
            provider,
            Workspace("w", backend="ssh-backend", options={"path": folder}),
            DirectoryPlace(Path(folder), owned=os.geteuid() == 0),
            stopped=Workspace("s", backend="ssh-backend", options={"path": f"{folder}/absent"}),
        )
