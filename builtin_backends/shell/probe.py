"""Asks a target what it lacks of what the scripts need, and who may write there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .channel import Channel
from .frame import run_framed
from .script import NO_SHELL, script_command, script_error

_ROOT_POWERS: Final = 0b1011
"""CAP_CHOWN, CAP_DAC_OVERRIDE and CAP_FOWNER, by their bits."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a target answers.

    `missing` are tools, or tools with an option, that the scripts need. `is_powerful`: whether root there may write
    everywhere and give files away. `owner` is who owns the plugins directory, or else the config dir, as `uid:gid`;
    None if there is neither.
    """

    missing: tuple[str, ...]
    is_powerful: bool
    owner: str | None


async def probe(channel: Channel, config_dir: str) -> Probe | None:
    """Return the target's answer, None if its shell cannot be started. Raises `DeliveryFailed` and what the channel
    raises."""
    completed = await run_framed(channel, script_command("probe", config_dir), repeatable=True)
    if completed.exit_code in NO_SHELL:
        return None
    if completed.exit_code != 0:
        raise script_error("probe", completed)
    missing, powers, owner = [], "-", None
    for line in completed.stdout.decode("utf-8", "replace").splitlines():
        word, _, rest = line.partition(" ")
        if word == "lacks":
            missing.append(rest)
        elif word == "powers":
            powers = rest
        elif word == "owner":
            user, _, group = rest.partition(" ")
            owner = f"{user}:{group}" if user.isdigit() and group.isdigit() else None
    is_powerful = powers == "-" or int(powers, 16) & _ROOT_POWERS == _ROOT_POWERS
    return Probe(tuple(missing), is_powerful, owner)
