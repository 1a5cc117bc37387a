"""A private Docker engine for tests: real, started here as root, with images made of busybox and of nothing."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import docker

from plugport.builtin_backends.ec2.simulator.certificates import write_certificate
from support.root_filesystems import image_archive, root_filesystem
from support.tools import MissingTool, find_tool, search_path


class NoEngine(Exception):
    """Raised when no engine can be started here; its text says why."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class PrivateEngine:
    """One dockerd with a data folder of its own, at `url` and, over TLS with `certificates`, at `tls_url`.

    Raises `NoEngine`.
    """

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise NoEngine("only root can start an engine")
        try:
            self._tools = {name: find_tool(name) for name in ("dockerd", "containerd", "busybox", "umount")}
        except MissingTool as error:
            raise NoEngine(str(error)) from error
        self._environment = os.environ | {"PATH": search_path()}
        """dockerd looks for runc, which Debian has in /usr/sbin."""
        self.folder = Path(tempfile.mkdtemp(prefix="pp-dockerd-"))
        self.url = f"unix://{self.folder}/docker.sock"
        self._made: list[str] = []
        self.certificates = self.folder / "certificates"
        write_certificate(self.certificates, "127.0.0.1")
        self.tls_url = f"tcp://127.0.0.1:{_free_port()}"
        self._containerd = self._start_containerd()
        self.start()
        self.client = docker.DockerClient(self.url, version="auto", timeout=60)
        self._make_images()

    def _start_containerd(self) -> subprocess.Popen[bytes]:
        """What holds the containers: by itself, so that an engine that is killed finds them again."""
        place = self.folder / "containerd"
        place.mkdir()
        (place / "config.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        command = [self._tools["containerd"], "--config", f"{place}/config.toml", "--root", f"{place}/root"]
        command += ["--state", f"{place}/state", "--address", f"{place}/containerd.sock"]
        return self._spawn(command)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=subprocess.STDOUT)

    def start(self) -> None:
        """Start the engine, and wait until it answers."""
        command = [self._tools["dockerd"], "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"]
        command += ["-H", self.url, "--pidfile", f"{self.folder}/pid", "--iptables=false", "--bridge=none"]
        command += ["--containerd", f"{self.folder}/containerd/containerd.sock"]
        command += ["-H", self.tls_url, "--tlsverify", f"--tlscacert={self.certificates}/ca.pem"]
        command += [f"--tlscert={self.certificates}/cert.pem", f"--tlskey={self.certificates}/key.pem"]
        command += ["--live-restore", "--shutdown-timeout", "2"]
        self.process = self._spawn(command)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                docker.DockerClient(self.url, version="auto", timeout=5).ping()
                return
            except (docker.errors.DockerException, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise NoEngine((self.folder / "log").read_text(errors="replace")[-2000:])

    def signal(self, number: int) -> None:
        """Send the engine a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End the engine at once; its containers go on."""
        self.process.kill()
        self.process.wait()
        (self.folder / "pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop everything, and remove it."""
        try:
            for container in self._made:
                with contextlib.suppress(docker.errors.NotFound):
                    self.client.api.remove_container(container, force=True)
        except (docker.errors.DockerException, OSError) as error:
            print(f"the engine was gone already: {error}")
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._containerd.terminate()
        self._containerd.wait(20)
        for left in self.folder.glob("data/overlay2/*/merged"):
            subprocess.run([self._tools["umount"], "-q", str(left)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_images(self) -> None:
        applets = subprocess.run(
            [self._tools["busybox"], "--list"], capture_output=True, text=True, check=True
        ).stdout.split()
        shelled = io.BytesIO()
        with tarfile.open(fileobj=shelled, mode="w") as archive:
            archive.add(os.path.realpath(self._tools["busybox"]), "bin/busybox")
            for applet in applets:
                if applet != "busybox":
                    link = tarfile.TarInfo(f"bin/{applet}")
                    link.type, link.linkname, link.mode = tarfile.SYMTYPE, "busybox", 0o777
                    archive.addfile(link)
            for name in ("tmp", "configs"):
                folder = tarfile.TarInfo(name)
                folder.type, folder.mode = tarfile.DIRTYPE, 0o777
                folder.uid = folder.gid = 1000
                archive.addfile(folder)
        self.client.api.import_image_from_data(shelled.getvalue(), repository="shelled", tag="1")
        self._make_bare()

    def _make_bare(self) -> None:
        bare = io.BytesIO()
        with tarfile.open(fileobj=bare, mode="w") as archive:
            archive.add(os.path.realpath(self._tools["busybox"]), "sleep")  # by its name it only sleeps
            folder = tarfile.TarInfo("configs")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        self.client.api.import_image_from_data(bare.getvalue(), repository="bare", tag="1")

    def image_of(self, root: str) -> str:
        """Return the image with one of `root_filesystems`; it is made when it is first asked for."""
        image = f"{root}:1"
        if not self.client.api.images(image):
            archive = self.folder / f"{root}.tar"
            image_archive(root_filesystem(root), archive)
            self.client.api.import_image_from_file(str(archive), repository=root, tag="1")
            archive.unlink()
        return image

    def run(self, name: str, image: str = "shelled:1", **options: Any) -> str:
        """Start a container that waits; its id."""
        command = ["/sleep" if image.startswith("bare") else "/bin/sleep", "1000000"]
        made = self.client.containers.run(
            image, command, name=name, detach=True, network_mode="none", init=False, **options
        )
        self._made.append(str(made.id))
        return str(made.id)

    def shell(self, name: str, line: str) -> str:
        """The output of a shell's line in a container."""
        api = self.client.api
        made = api.exec_create(name, ["sh", "-c", line], user="0")
        return bytes(api.exec_start(made["Id"])).decode()
