"""Asks the agent on a target with a shell what it sees, by its own command."""

from __future__ import annotations

from ...hookspecs import Answer, Question
from ...hookspecs.errors import BackendUnavailable, UnsupportedTarget
from .channel import Channel
from .frame import run_framed
from .script import script_command, script_error
from .script_output import Fields

_NO_FOLDER, _OTHER_OWNER, _NO_COMMAND = 5, 125, 127


async def ask(channel: Channel, config_dir: str, question: Question) -> Answer:
    """Run the question's command in the config dir, as the user that owns it. May be repeated.

    Raises `UnsupportedTarget` if the target cannot run it so, `BackendUnavailable` if there is no config dir, and
    what the channel raises.
    """
    variables = [f"{name}={value}" for name, value in question.environment.items()]
    limits = (str(question.max_output), str(len(variables)))
    argv = script_command("ask", config_dir, *limits, *variables, *question.command)
    completed = await run_framed(channel, argv)
    if completed.exit_code == _NO_COMMAND:
        return Answer(completed.exit_code, b"", completed.stderr)
    if completed.exit_code == _NO_FOLDER:
        raise BackendUnavailable("the config dir is missing")
    if completed.exit_code != 0:
        error = script_error("ask", completed)
        raise UnsupportedTarget(error.reason) if completed.exit_code == _OTHER_OWNER else error
    fields = Fields(completed.stdout)
    code, size = fields.next(), fields.next()
    if not (code.isdigit() and size.isdigit()):
        raise BackendUnavailable("the target's answer is broken")
    output = fields.take(int(size))
    return Answer(int(code), output[: question.max_output], fields.rest())
