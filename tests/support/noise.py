"""What login shells do before and after a command, and while it runs."""

from __future__ import annotations

from typing import Final

NOISE: Final = {
    "banner": "echo Welcome",
    "banner-without-an-end": "printf Welcome",
    "binary": r"printf '\377\000\001\000'",
    "list-of-a-plugin": r"printf './evil/\000\000\000\000\000'",
    "receipt": r"printf 'I0000000000000000000000000000000000000000000000000000000000000000\000'",
    "frame": "echo '0000000000000000 ready'; echo '0000000000000000 base64 4'; echo 'Cg=='",
    "on-standard-error": "echo 'plugport: there is no tar' >&2",
    "after": "trap 'echo bye; exit 3' EXIT",
    "after-a-list": r"trap 'printf \"./evil/\000\000\000\000\000\"' EXIT",
    "late": "(sleep 0.05; echo late; sleep 3; echo later) &",
    "while-it-runs": "(i=0; while [ $i -lt 40 ]; do echo noise; sleep 0.02; i=$((i + 1)); done) &",
    "trace": "exec 2>&1; set -x",
    "echo-of-the-command": 'echo "$BASH_EXECUTION_STRING"; echo "$@"',
}
"""By its name, a line of shell that only makes a noise: every answer is as without it."""
NO_START: Final = {
    "exit": "exit 0",
    "exit-with-a-code": "exit 4",
    "another-exit": "echo Welcome; exit 1",
    "exec": "exec sh",
    "exec-of-another": "exec cat",
    "reads": "while read -r line; do :; done; exit 0",
}
"""Lines after which the command never starts: each is an error, and nothing may be sent."""
