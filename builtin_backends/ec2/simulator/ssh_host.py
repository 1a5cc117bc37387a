"""A host with a real sshd on the loopback interface, in the place of an EC2 instance.

Started by root, the host is a copy-on-write view of this machine with a user `ubuntu` (uid 1000, may use sudo); all
changes vanish when it stops. Started by uid 1000, it is this machine itself, and plugins go to a separate folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_MOUNTS = ("proc", "dev")
_START_SECONDS = 20
_PACKAGES = {
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "pgrep": "procps",
    "chroot": "coreutils",
    "mount": "mount",
    "umount": "mount",
}
"""The programs that the host needs, and the Debian package of each."""


class SshHostUnavailable(Exception):
    """Raised when no host can be started here. The text says why."""


class SshHost:
    """Starts sshd. Raises `SshHostUnavailable`.

    `port` is where sshd listens, `user` the login, `root` the path of the host's file system on this machine, and
    `ssh_folder` the path of sshd's files there. `is_view` tells whether the host is a view of this machine.
    """

    def __init__(self) -> None:
        for program in _PACKAGES:
            _executable(program)
        if os.geteuid() not in {0, 1000}:
            raise SshHostUnavailable("only root and uid 1000 can start the host")
        self.folder = Path(tempfile.mkdtemp(prefix="pp-instance-"))
        self.is_view = os.geteuid() == 0
        self.user = "ubuntu" if self.is_view else pwd.getpwuid(1000).pw_name
        self.root = self.folder / "root" if self.is_view else Path("/")
        self.ssh_folder = self.folder / ("root/etc/plugport-ssh" if self.is_view else "ssh")
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self.is_view:
                self._mount_view()
                self._add_users()
                self.empty_folders()
            self.ssh_folder.mkdir(parents=True)
            self.make_host_key()
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def host_keys(self) -> list[str]:
        """The public host key's line, as cloud-init prints it."""
        return [(self.ssh_folder / "host_key.pub").read_text().strip()]

    def make_host_key(self, kind: str = "ed25519") -> None:
        """Replace the host key; sshd uses it after the next `start`."""
        for key in self.ssh_folder.glob("host_key*"):
            key.unlink()
        key_file = str(self.ssh_folder / "host_key")
        _run(_executable("ssh-keygen"), "-q", "-t", kind, "-N", "", "-f", key_file)

    def start(self, **options: str) -> None:
        """Start sshd, or restart it with these options, for example `start(MaxSessions="1")`."""
        self._stop_sshd()
        folder = Path("/") / self.ssh_folder.relative_to(self.root) if self.is_view else self.ssh_folder
        config = {
            "Port": str(self.port),
            "ListenAddress": "127.0.0.1",
            "HostKey": str(folder / "host_key"),
            "AuthorizedKeysFile": str(folder / "keys-%u"),
            "PidFile": "none",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "UsePAM": "no",
            "PermitRootLogin": "prohibit-password",
            "MaxStartups": "100:30:200",
            "LogLevel": "VERBOSE",
        } | options
        (self.ssh_folder / "config").write_text("".join(f"{key} {value}\n" for key, value in config.items()))
        command = self.on_host(_executable("sshd"), "-D", "-e", "-f", str(folder / "config"))
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise SshHostUnavailable("sshd did not start: " + (self.folder / "sshd.log").read_text()[-2000:])

    def accept_key(self, user: str, public_key: str, seconds: float = 60) -> None:
        """Accept the public key for that user for so many seconds, as after SendSSHPublicKey."""
        expiry = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%SZ")
        with (self.ssh_folder / f"keys-{user}").open("a") as keys:
            keys.write(f'expiry-time="{expiry}" {public_key.strip()}\n')

    def shell(self, line: str) -> str:
        """Run a line of shell on the host, as the user who started it, and return its output."""
        return _run(*self.on_host("sh", "-c", line)).stdout

    def connection_pids(self) -> list[int]:
        """Return the process ids of the open connections."""
        if self._process is None:
            return []
        listed = _run(_executable("pgrep"), "-P", str(self._process.pid), check=False)
        return [int(pid) for pid in listed.stdout.split()]

    def cut_connections(self) -> None:
        """Kill every connection, as a crash of the host does."""
        for pid in self.connection_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """Stop sshd and remove the host."""
        self._stop_sshd()
        if self.is_view:
            for mount_point in (*(self.root / name for name in _MOUNTS), self.root, self.folder):
                _run(_executable("umount"), "-l", str(mount_point), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def empty_folders(self) -> None:
        """Remove the folders that plugins go to, and make a new home."""
        self.shell("rm -rf /configs /opt/configs /home/ubuntu; install -d -o 1000 -g 1000 /home/ubuntu")

    def on_host(self, *command: str) -> list[str]:
        """Return the command that runs another one on the host, as the user who started it."""
        return [_executable("chroot"), str(self.root), *command] if self.is_view else list(command)

    def _stop_sshd(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.cut_connections()
            self._process.terminate()
            self._process.wait(20)

    def _mount_view(self) -> None:
        _mount("-t", "tmpfs", "--make-private", "-o", "mode=755", "tmpfs", str(self.folder))
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        layers = f"lowerdir=/,upperdir={self.folder}/upper,workdir={self.folder}/work"
        _mount("-t", "overlay", "-o", layers, "overlay", str(self.root))
        for name in _MOUNTS:
            _mount("--bind", "--make-private", f"/{name}", str(self.root / name))

    def _add_users(self) -> None:
        etc = self.root / "etc"
        users = [line for line in (etc / "passwd").read_text().splitlines() if line.split(":")[2] != "1000"]
        users += ["ubuntu:x:1000:1000::/home/ubuntu:/bin/sh", "other:x:4321:4321::/tmp:/bin/sh", ""]
        (etc / "passwd").write_text("\n".join(users))
        (etc / "shadow").write_text("root:*:::::::\nubuntu:*:::::::\nother:*:::::::\nsshd:*:::::::\n")
        with (etc / "group").open("a") as groups:
            groups.write("ubuntu:x:1000:\n")
        if (etc / "sudoers.d").is_dir():
            (etc / "sudoers.d/ubuntu").write_text("ubuntu ALL=(ALL) NOPASSWD: ALL\n")
            (etc / "sudoers.d/ubuntu").chmod(0o440)
        for name in ("run/sshd", "home/ubuntu"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        os.chown(self.root / "home/ubuntu", 1000, 1000)


def _executable(name: str) -> str:
    """Return the path of a program, also if PATH lacks the folders for root's programs."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if path is None:
        raise SshHostUnavailable(f"{name} is not installed (Debian's package {_PACKAGES[name]})")
    return path


def _run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=check)  # noqa: S603 - our own command


def _mount(*arguments: str) -> None:
    mounted = _run(_executable("mount"), *arguments, check=False)
    if mounted.returncode != 0:
        raise SshHostUnavailable(f"mount {' '.join(arguments)}: {mounted.stderr.strip()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
