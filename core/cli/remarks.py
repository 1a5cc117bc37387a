"""Says for a person what an install, an uninstall or a restore found on the target beside the plugin."""

from __future__ import annotations

import shlex
from typing import cast

from .client import JSONObject

_LISTS = (
    ("left", "left, since somebody edited it"),
    ("kept", "set aside in"),
    ("dropped", "deleted, since too much was set aside"),
    ("overwritten", "the plugin's file takes the place of yours until the uninstall"),
)


def with_remarks(headline: str, reply: JSONObject, workspace: str) -> str:
    """Return the headline, then a line for each thing that the reply says beside it."""
    lines = [f"  {label}: {path}" for field, label in _LISTS for path in cast("list[str]", reply.get(field) or [])]
    lines += _of_contents(reply)
    if reply.get("kept"):
        command = shlex.join(["plugport", "restore", str(reply["plugin"]), "--workspace", workspace])
        lines.append(f"  put back what was set aside: {command}")
    if reply.get("stale"):
        lines.append("  copies of an older version stay until an install with a restart")
    if reply.get("adopted"):
        lines.append("  taken over: plugport had no record of the plugin's directory")
    return "\n".join([headline, *lines])


def _of_contents(reply: JSONObject) -> list[str]:
    """Return what an install says of the plugin's contents and of the runtime."""
    findings = [each for each in _objects(reply, "warnings") if each["severity"] != "note"]
    lines = [f"  {each['severity']}: {_place(each)}: {each['message']}" for each in findings]
    lines += [f"  not used: {each['component']}: {each['why']}" for each in _objects(reply, "unsupported")]
    refused = {each["component"] for each in _objects(reply, "unsupported")}
    grants = [each for each in _objects(reply, "needs_grant") if f"grant {each['name']}" not in refused]
    lines += [f"  needs --grant {each['name']}: {each['why']}" for each in grants]
    return ["".join(letter if letter.isprintable() else "�" for letter in line) for line in lines]


def _objects(reply: JSONObject, field: str) -> list[JSONObject]:
    return cast("list[JSONObject]", reply.get(field) or [])


def _place(finding: JSONObject) -> str:
    path = finding["path"] or "the plugin"
    return f"{path}:{finding['line']}" if finding["line"] else str(path)
