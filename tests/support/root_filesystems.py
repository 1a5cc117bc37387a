"""Root file systems of targets: each with one kind of shell and of tools, made of Debian's packages.

They lie in the user's cache folder, outside the checkout, and are made once.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from support.tools import MissingTool, find_tool

_VERSION: Final = "1"
"""Part of the cache's path: raise it when the file systems change."""
_GNU: Final = (
    "base64 cat chmod chown chroot cp env find flock head id ln ls mkdir mktemp mv od readlink rm rmdir sed setpriv"
    " sha256sum sleep sort su tail tar touch tr true uname uniq wc xargs dirname install test grep"
)
_SOURCES: Final = """\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
NAMES: Final = (
    "debian-dash",
    "debian-bash",
    "busybox-debian",
    "busybox-static",
    "busybox-default",
    "toybox-dash",
    "debian-bsdtar",
)
"""The shell and the tools of each: GNU's tools under dash and under bash; busybox as Debian builds it (it has no
flock), and with its default configuration, which is Alpine's kind; toybox, which brings no shell; bsdtar."""


def root_filesystem(name: str) -> Path:
    """Return the folder with this file system. Raises `MissingTool` if it cannot be made here."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "plugport-tests", f"roots-{_VERSION}")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = cache / name
        if not root.is_dir():
            making = cache / f"{name}.making"
            shutil.rmtree(making, ignore_errors=True)
            _make(name, making, cache)
            making.rename(root)
    return root


def image_archive(root: Path, target: Path) -> None:
    """Write a tar of the file system, for `docker import`."""
    with tarfile.open(target, "w") as archive:
        archive.add(root, ".", recursive=True)


def _make(name: str, root: Path, cache: Path) -> None:
    for folder in ("bin", "etc", "proc", "dev", "root", "tmp", "configs"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    if os.geteuid() == 0:
        os.chown(root / "configs", 1000, 1000)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    if name.startswith("debian"):
        _copy_programs(root, {tool: Path(find_tool(tool)) for tool in _GNU.split()})
        shell = Path(find_tool("bash" if name == "debian-bash" else "dash"))
        _copy_programs(root, {"sh": shell})
        if name == "debian-bsdtar":
            (root / "bin/tar").unlink()
            _copy_programs(root, {"tar": _bsdtar(cache)})
    elif name == "toybox-dash":
        _copy_programs(root, {"toybox": _unpacked("toybox", cache) / "bin/toybox", "sh": Path(find_tool("dash"))})
        _link_applets(root, "toybox", [])
    else:
        busybox = _default_busybox(cache) if name == "busybox-default" else _unpacked(name, cache) / "bin/busybox"
        _copy_programs(root, {"busybox": busybox})
        _link_applets(root, "busybox", ["--list"])


def _link_applets(root: Path, program: str, list_option: Sequence[str]) -> None:
    """Link each tool that the program lists to it."""
    for applet in _output(find_tool("chroot"), str(root), f"/bin/{program}", *list_option).split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to(program)


def _copy_programs(root: Path, programs: Mapping[str, Path]) -> None:
    """Copy programs into `bin`, each with the libraries that it needs."""
    for name, program in programs.items():
        shutil.copy(program.resolve(), root / "bin" / name)
        listed = subprocess.run(["ldd", str(program.resolve())], capture_output=True, text=True, check=False)
        if "not found" in listed.stdout:
            raise MissingTool(f"{name} lacks a library: {listed.stdout}")
        for library in re.findall(r"(/\S+) \(0x", listed.stdout):
            place = root / library.removeprefix("/")
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(library).resolve(), place)


def _bsdtar(cache: Path) -> Path:
    try:
        return Path(find_tool("bsdtar"))
    except MissingTool:
        return _unpacked("libarchive-tools", cache) / "usr/bin/bsdtar"


def _debian_name(name: str) -> str:
    return {"busybox-debian": "busybox"}.get(name, name)


def _unpacked(name: str, cache: Path) -> Path:
    """Return the folder with the files of a Debian package, which is downloaded and not installed."""
    package = _debian_name(name)
    folder = cache / "packages" / package
    if not folder.is_dir():
        downloads = cache / "downloads" / package
        shutil.rmtree(downloads, ignore_errors=True)
        downloads.mkdir(parents=True)
        command = [find_tool("apt-get"), "-o", "APT::Sandbox::User=root", "download", package]
        if subprocess.run(command, cwd=downloads, capture_output=True, check=False).returncode != 0:
            _output(find_tool("apt-get"), "-q", "update")
            _output(*command, cwd=downloads)
        (archive,) = downloads.glob("*.deb")
        folder.parent.mkdir(exist_ok=True)
        _output(find_tool("dpkg"), "-x", str(archive), str(folder))
    return folder


def _default_busybox(cache: Path) -> Path:
    """Return a busybox with its default configuration, linked statically, built from Debian's source package."""
    built = cache / "busybox-default-built"
    if not built.is_file():
        folder = cache / "busybox-source"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "lists/partial").mkdir(parents=True)
        (folder / "sources").mkdir()
        (folder / "sources/source.sources").write_text(_SOURCES)
        apt = [find_tool("apt-get"), "-q", "-o", "Dir::Etc::SourceList=/dev/null", "-o", "APT::Sandbox::User=root"]
        apt += ["-o", f"Dir::Etc::SourceParts={folder}/sources", "-o", f"Dir::State::Lists={folder}/lists"]
        apt += ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]
        for tool in ("gcc", "make", "dpkg-source"):
            find_tool(tool)
        _output(*apt, "update", cwd=folder)
        _output(*apt, "source", "--download-only", "busybox", cwd=folder)
        (description,) = folder.glob("*.dsc")
        _output(find_tool("dpkg-source"), "-x", str(description), "unpacked", cwd=folder)
        source = folder / "unpacked"
        _output(find_tool("make"), "defconfig", cwd=source)
        configuration = (source / ".config").read_text()
        # `tc` does not compile with the headers of a newer kernel; nothing else differs from the default.
        configuration = configuration.replace("# CONFIG_STATIC is not set", "CONFIG_STATIC=y")
        (source / ".config").write_text(configuration.replace("CONFIG_TC=y", "# CONFIG_TC is not set"))
        _output(find_tool("make"), f"-j{os.cpu_count()}", cwd=source)
        shutil.copy(source / "busybox", built)
        shutil.rmtree(folder)
    return built


def _output(*command: str, cwd: Path | None = None) -> str:
    """Return what a command prints. Raises `MissingTool` if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingTool(f"{' '.join(command[:4])} failed: {done.stderr[-1000:]}")
    return done.stdout
