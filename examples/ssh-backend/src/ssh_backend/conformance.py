"""What the conformance kit tries this backend on: a real sshd on loopback, for whoever runs this, on this machine."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from plugport.hookspecs import Workspace
from plugport.hookspecs.conformance import CONNECTION_DROPS, BackendUnderTest, DirectoryFilesystem

from ssh_backend import provider


class Sshd:
    """An sshd with keys of its own, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        for name in ("host_key", "identity"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host_key.pub').read_text()}")
        self._options = [f"-oHostKey={folder}/host_key", f"-oAuthorizedKeysFile={folder}/identity.pub"]
        self._options += ["-oPidFile=none", "-oStrictModes=no", "-oUsePAM=no", "-oMaxStartups=100"]
        self._options.append(f"-oListenAddress=127.0.0.1:{self.port}")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", os.devnull, *self._options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, start_new_session=True)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text())

    def stop(self) -> None:
        """End it, with every connection that it serves."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Be down until the end of the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()


@contextlib.contextmanager
def target() -> Iterator[BackendUnderTest]:
    """Describe the provider with an sshd and a config dir of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sshd, config_dir = Sshd(folder), folder / "configs"
        config_dir.mkdir()
        options = {"host": "127.0.0.1", "port": sshd.port, "user": getpass.getuser()}
        try:
            yield BackendUnderTest(
                provider,
                Workspace("w", backend="ssh", options=options | {"config_dir": str(config_dir)}),
                DirectoryFilesystem(config_dir, owned=os.geteuid() == 0),
                settings={"identity": str(folder / "identity"), "known_hosts": str(folder / "known_hosts")},
                stopped=Workspace("s", backend="ssh", options=options | {"config_dir": str(folder / "absent")}),
                unreachable=sshd.down,
                troubles={CONNECTION_DROPS: sshd.down},
            )
        finally:
            sshd.stop()
