"""A host with a real sshd on loopback that stands for an EC2 instance.

As root it is a copy-on-write view of this machine with a user `ubuntu` (uid 1000, who may use sudo): whatever happens
there is gone with it. As uid 1000 it is this machine itself, and plugins go into a folder of its own.
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

MOUNTS = ("proc", "dev")
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
"""Where programs are found: a user's PATH lacks the administrator's folders."""


def _find_tool(name: str, package: str) -> str:
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise NoSshHost(f"{name} is not installed (Debian: {package})")
    return path


class NoSshHost(Exception):
    """Raised when no host can be started here; its text says why."""


class SshHost:
    """`port` is where sshd listens, `user` whom a key lets in, `root` the host's file system as seen from here."""

    def __init__(self) -> None:
        self.sshd = _find_tool("sshd", "openssh-server")
        self._keygen = _find_tool("ssh-keygen", "openssh-client")
        self._pgrep = _find_tool("pgrep", "procps")
        if os.geteuid() not in {0, 1000}:
            raise NoSshHost("only root and uid 1000 can stand for an instance")
        self.folder = Path(tempfile.mkdtemp(prefix="pp-instance-"))
        self.is_view = os.geteuid() == 0
        if self.is_view:
            self.chroot = _find_tool("chroot", "coreutils")
            self._mount, self._umount = _find_tool("mount", "mount"), _find_tool("umount", "mount")
        self.user = "ubuntu" if self.is_view else pwd.getpwuid(1000).pw_name
        self.root = self.folder / "root" if self.is_view else Path("/")
        self.ssh = self.folder / ("root/etc/plugport-ssh" if self.is_view else "ssh")
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._options: dict[str, str] = {}
        try:
            if self.is_view:
                self._make_view()
                self._empty_folders()
            self.ssh.mkdir(parents=True)
            self.new_host_key()
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def host_keys(self) -> list[str]:
        """The public host key's line, as cloud-init prints it."""
        return [(self.ssh / "host_key.pub").read_text().strip()]

    def new_host_key(self, kind: str = "ed25519") -> None:
        """Make another host key; `start` takes it."""
        for old in self.ssh.glob("host_key*"):
            old.unlink()
        command = [self._keygen, "-q", "-t", kind, "-N", "", "-f", str(self.ssh / "host_key")]
        subprocess.run(command, check=True)

    def start(self, **options: str) -> None:
        """Start sshd, or start it again with other options, as `start(MaxSessions="1")`."""
        self._end_sshd()
        self._options = options
        place = Path("/") / self.ssh.relative_to(self.root) if self.is_view else self.ssh
        given = {
            "Port": str(self.port),
            "ListenAddress": "127.0.0.1",
            "HostKey": str(place / "host_key"),
            "AuthorizedKeysFile": str(place / "keys-%u"),
            "PidFile": "none",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "UsePAM": "no",
            "PermitRootLogin": "prohibit-password",
            "MaxStartups": "100:30:200",
            "LogLevel": "VERBOSE",
        } | options
        (self.ssh / "config").write_text("".join(f"{key} {value}\n" for key, value in given.items()))
        command = [self.sshd, "-D", "-e", "-f", str(place / "config")]
        if self.is_view:
            command = [self.chroot, str(self.root), *command]
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise NoSshHost("sshd did not start: " + (self.folder / "sshd.log").read_text()[-2000:])

    def renew(self) -> None:
        """Take away what was changed: the folders that plugins go to, keys, and sshd's options."""
        for left in self.ssh.glob("keys-*"):
            left.unlink()
        if self.is_view:
            self._empty_folders()
        if self._options:
            self.start()

    def _empty_folders(self) -> None:
        self.shell("rm -rf /configs /opt/configs /home/ubuntu; install -d -o 1000 -g 1000 /home/ubuntu")

    def let_in(self, user: str, public_key: str, seconds: float = 60) -> None:
        """Accept the key for that user for so long, as a pushed one is."""
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%SZ")
        with (self.ssh / f"keys-{user}").open("a") as keys:
            keys.write(f'expiry-time="{until}" {public_key.strip()}\n')

    def shell(self, line: str) -> str:
        """The output of a shell's line on the host, as root there where it is a view."""
        command = ["sh", "-c", line]
        if self.is_view:
            command = [self.chroot, str(self.root), *command]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def without(self, *tools: str) -> None:
        """Let logins find every tool but these."""
        self.shell(
            "rm -rf /opt/tools && mkdir -p /opt/tools && ln -s /usr/bin/* /opt/tools/ 2>/dev/null;"
            f" cd /opt/tools && rm -f {' '.join(tools)} {'python3*' if 'python3' in tools else ''}"
        )
        self.start(SetEnv="PATH=/opt/tools")

    def sessions(self) -> list[int]:
        """The process ids of the connections that are open."""
        assert self._process is not None
        found = subprocess.run(
            [self._pgrep, "-P", str(self._process.pid)], capture_output=True, text=True, check=False
        )
        return [int(one) for one in found.stdout.split()]

    def cut_every_connection(self) -> None:
        """End every connection as a crash of the host's would."""
        for one in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def stop(self) -> None:
        """End sshd and take everything away."""
        self._end_sshd()
        if self.is_view:
            for name in (*MOUNTS, ""):
                subprocess.run([self._umount, "-l", str(self.root / name)], capture_output=True, check=False)
            subprocess.run([self._umount, "-l", str(self.folder)], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_sshd(self) -> None:
        if self._process is not None and self._process.poll() is None:
            for one in self.sessions():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            self._process.terminate()
            self._process.wait(20)

    def _make_view(self) -> None:
        def mount(*words: str) -> None:
            done = subprocess.run([self._mount, *words], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise NoSshHost(f"mount {' '.join(words)}: {done.stderr.strip()}")

        mount("-t", "tmpfs", "--make-private", "-o", "mode=755", "tmpfs", str(self.folder))
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        layers = f"lowerdir=/,upperdir={self.folder}/upper,workdir={self.folder}/work"
        mount("-t", "overlay", "-o", layers, "overlay", str(self.root))
        for name in MOUNTS:
            mount("--bind", "--make-private", f"/{name}", str(self.root / name))
        etc = self.root / "etc"
        users = [one for one in (etc / "passwd").read_text().splitlines() if one.split(":")[2] != "1000"]
        home = "ubuntu:x:1000:1000::/home/ubuntu:/bin/sh"
        (etc / "passwd").write_text("\n".join([*users, home, "other:x:4321:4321::/tmp:/bin/sh", ""]))
        (etc / "shadow").write_text("root:*:::::::\nubuntu:*:::::::\nother:*:::::::\nsshd:*:::::::\n")
        with (etc / "group").open("a") as groups:
            groups.write("ubuntu:x:1000:\n")
        if (etc / "sudoers.d").is_dir():
            (etc / "sudoers.d/ubuntu").write_text("ubuntu ALL=(ALL) NOPASSWD: ALL\n")
            (etc / "sudoers.d/ubuntu").chmod(0o440)
        for name in ("run/sshd", "home/ubuntu"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        os.chown(self.root / "home/ubuntu", 1000, 1000)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
