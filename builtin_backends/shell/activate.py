"""Makes the changes of an activation on a target with a shell: one command."""

from __future__ import annotations

from collections.abc import Iterator

from ...hookspecs import Receipt, TargetChanges
from ...hookspecs.errors import BackendUnavailable, DeliveryFailed
from .channel import Channel
from .failure import script_failure
from .frame import run_framed
from .kept import KeepBounds, read_receipt
from .orders import orders_tar
from .script import script_command
from .script_output import encode

_Step = tuple[str, str, str, str | None, bytes | None, str | None]


async def activate(
    channel: Channel, config_dir: str, name: str, changes: TargetChanges, bounds: KeepBounds | None = None
) -> Receipt:
    """Make the changes beside the plugin `name`, all of them or none: `Receipt.refused` names what stood in the way.

    May be repeated. Raises `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
    """
    orders: dict[str, bytes] = {}
    lines = []
    for number, (action, path, expected, old_link, content, link) in enumerate(_steps(changes)):
        lines.append(f"{number} {action} {expected}\n")
        orders[f"path-{number}"] = encode(f"H{path[2:]}" if path.startswith("~/") else f"C{path}")
        if old_link is not None:
            orders[f"old-{number}"] = encode(old_link)
        if content is not None or link is not None:
            orders[f"new-{number}"] = content if content is not None else encode(link or "")
    orders["steps"] = "".join(lines).encode()
    limits = (bounds or KeepBounds()).arguments
    argv = script_command("activate", config_dir, changes.home or "", name, *limits)
    completed = await run_framed(channel, argv, orders_tar(orders))
    if completed.exit_code != 0:
        raise await script_failure(channel, config_dir, "activate", completed)
    try:
        return read_receipt(completed.stdout)
    except BackendUnavailable as error:
        raise DeliveryFailed(error.reason) from error


def _steps(changes: TargetChanges) -> Iterator[_Step]:
    """Yield for each step: what to do, the place, what is expected, the text of the link that may be there, and the
    new content or the new link's text."""
    for copy in changes.copies:
        yield "copy" if copy.present else "uncopy", copy.path, _hex(copy.expected), None, None, None
    for write in changes.writes:
        action = "delete" if write.content is None else "program" if write.executable else "write"
        yield action, write.path, _hex(write.expected), None, write.content, None
    for link in changes.links:
        yield "unlink" if link.text is None else "link", link.path, "-", link.expected, None, link.text
    for folder in changes.folders:
        yield "folder", folder, "-", None, None, None


def _hex(digest: str | None) -> str:
    return "-" if digest is None else digest.removeprefix("sha256:")
