"""A provider of another team, as a wheel of its own: source, backend, policy, observer and lookup, good or bad."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyz /etc/passwd x-github-request-id"

MODULE = """
import asyncio, os, sys, time
from plugport.hookspecs import InstalledPlugin, Receipt, Resolved, RunState, Workspace, hookimpl

SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyz /etc/passwd x-github-request-id"
MODE, WHERE = os.environ.get("THIRD_PARTY_MODE", ""), os.environ.get("THIRD_PARTY_HOOK", "")
schemes, backend = ("guest",), "guest"
installed, seen = {}, []


def misbehave(hook):
    if hook != WHERE:
        return False
    if MODE == "raise":
        raise RuntimeError(SECRET)
    if MODE == "exit":
        sys.exit(SECRET)
    if MODE == "hang":
        time.sleep(3600)
    return MODE == "lie"


@hookimpl
def startup(context):
    misbehave("startup")


@hookimpl
def resolve_source(source, destination):
    if misbehave("resolve_source"):
        return SECRET
    (destination / "plugin.yaml").write_text("name: " + source.spec + "\\nversion: 3\\n")
    return Resolved(source.spec, "r1")


@hookimpl
def preflight(workspace, action):
    misbehave("preflight")


@hookimpl
async def is_running(workspace):
    if WHERE == "is_running" and MODE == "hang":
        await asyncio.sleep(3600)
    return SECRET if misbehave("is_running") else RunState.RUNNING


@hookimpl
async def deliver(workspace, bundle):
    if WHERE == "deliver" and MODE == "hang":
        await asyncio.sleep(3600)
    if misbehave("deliver"):
        return Receipt(SECRET)
    installed[bundle.name] = bundle
    return Receipt(bundle.digest)


@hookimpl
def uninstall(workspace, removal):
    if misbehave("uninstall"):
        return SECRET
    installed.pop(removal.name, None)
    return Receipt(None)


@hookimpl
def list_installed(workspace):
    if misbehave("list_installed"):
        return [SECRET]
    return [InstalledPlugin(one.name, one.digest, one.manifest) for one in installed.values()]


@hookimpl
def restart(workspace):
    misbehave("restart")


@hookimpl
def lookup_workspace(workspace_id):
    if misbehave("lookup_workspace"):
        return SECRET
    if workspace_id == "theirs":
        return Workspace("theirs", org="acme", runtime="hermes", backend="guest")


@hookimpl
def check_policy(request):
    return SECRET if misbehave("check_policy") else None


@hookimpl
def observe(event):
    misbehave("observe")
    with open(os.environ["THIRD_PARTY_LOG"], "a") as log:
        log.write(event.kind + " " + str(event.plugin) + "\\n")


@hookimpl
def shutdown():
    misbehave("shutdown")
"""


def install_third_party(folder: Path) -> Path:
    """Write the wheel, install it into a directory of its own, and return that for PYTHONPATH."""
    info = "guest-2.5.dist-info"
    wheel = folder / "guest-2.5-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("guest.py", MODULE)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: guest\nVersion: 2.5\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", "[plugport]\nguest = guest\n")
        archive.writestr(f"{info}/RECORD", "")
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*command, str(wheel)], check=True)
    return target


def lay(site: Path, distribution: str, module: str, *, name: str | None = None, group: str = "plugport") -> None:
    """Lay a distribution (version 1.5) into a folder for PYTHONPATH: one module, which is one provider."""
    name, importable = name or distribution, distribution.replace("-", "_")
    info = site / f"{importable}-1.5.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {importable}\n")
    (site / f"{importable}.py").write_text(module)


def command(
    site: Path, *arguments: str, seconds: float = 280, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `plugport` with what was laid there, and a data directory below it."""
    settings = {"PLUGPORT_DATA_DIR": str(site / "data"), "PYTHONPATH": str(site)} | environment
    called = [sys.executable, "-P", "-m", "plugport.core", *arguments]
    return subprocess.run(
        called, env=os.environ | settings, capture_output=True, text=True, timeout=seconds, check=False
    )
