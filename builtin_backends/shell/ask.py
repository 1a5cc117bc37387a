"""Asks the agent on a target with a shell what it sees, by its own command."""

from __future__ import annotations

from ...hookspecs import Answer, Question
from ...hookspecs.errors import BackendUnavailable, UnsupportedTarget
from .channel import Channel
from .script import script_command

_NO_TOOL, _NO_FOLDER, _OTHER_OWNER = 4, 5, 125


async def ask(channel: Channel, config_dir: str, question: Question) -> Answer:
    """Run the question's command in the config dir, as the user that owns it. May be repeated.

    Raises `UnsupportedTarget` if the target cannot run it so, `BackendUnavailable` if there is no config dir, and
    what the channel raises.
    """
    variables = [f"{name}={value}" for name, value in question.environment.items()]
    limits = (str(question.max_output), str(len(variables)))
    argv = script_command("ask", config_dir, *limits, *variables, *question.command)
    completed = await channel.run(argv)
    if completed.exit_code in {_NO_TOOL, _OTHER_OWNER} and completed.stderr.startswith(b"plugport: "):
        raise UnsupportedTarget(completed.failure("ask"))
    if completed.exit_code == _NO_FOLDER and not completed.stdout:
        raise BackendUnavailable("the config dir is missing")
    return Answer(completed.exit_code, completed.stdout[: question.max_output], completed.stderr)
