"""Finds the commands that a list of words, or a line of shell, runs: behind `sudo`, in `bash -c`, over `ssh`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import TypeAlias

Words: TypeAlias = Sequence[str]

_WRAPPERS = frozenset(
    {"sudo", "doas", "env", "nice", "nohup", "time", "timeout", "gtimeout", "stdbuf", "ionice", "setsid", "chroot",
     "xargs", "watch", "command", "exec", "unbuffer", "flock", "strace", "wsl", "gosu", "su-exec", "runuser",
     "chpst", "taskset", "unshare", "nsenter", "systemd-run", "cgexec", "retry", "parallel", "winpty", "script",
     "caffeinate", "proxychains", "proxychains4", "torsocks", "eval", "start", "pkexec", "firejail", "entr", "chrt",
     "prlimit", "setpriv", "busybox", "dotenv", "direnv", "op", "aws-vault", "doppler", "envdir", "tini",
     "dumb-init", "uv", "poetry", "pipenv", "if", "then", "else", "elif", "while", "until", "do", "!", "{", "&&"}
)  # fmt: skip
"""Programs, and words of the shell, behind which another program stands."""
_REMOTE = frozenset(
    {"ssh", "sshpass", "autossh", "mosh", "kubectl", "oc", "docker", "podman", "nerdctl", "vagrant", "multipass",
     "lxc", "incus", "pct", "gcloud", "minikube", "limactl", "colima", "orb", "machinectl", "salt", "ansible",
     "pdsh", "clush", "docker-machine", "tsh", "fly", "flyctl", "heroku", "az", "toolbox", "distrobox", "crictl"}
)  # fmt: skip
"""Programs that run a command somewhere else."""
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ash", "ksh", "fish", "su", "cmd", "powershell", "pwsh", "rbash"})
_SCRIPT_FLAG = re.compile(r"-[a-zA-Z]*c|/[cC]|-Command|--command|-lic")
_ASSIGNMENT = re.compile(r"\w+=")
_SUBSTITUTION = re.compile(r"\$\((.*)\)|`([^`]*)`|[<>]\((.*)\)", re.DOTALL)
_SEPARATORS = re.compile(r"[;|&()\n]+")
_HOLES = "\x00\x01"
DEEPEST = 5


def program_of(word: str) -> str:
    """Return a program's name without its folder, and without Windows' ending."""
    name = word.replace("\\", "/").rpartition("/")[2].lstrip(_HOLES)
    return name.removesuffix(".exe").removesuffix(".EXE")


def commands_of_text(text: str, depth: int = 0) -> Iterator[Words]:
    """Yield the commands that a shell runs for a text, each as its words."""
    if depth > DEEPEST:
        return
    for words in _simple_commands(text):
        yield from commands_of_words(words, depth + 1)
        for word in words:
            for match in _SUBSTITUTION.finditer(word):
                yield from commands_of_text(next(filter(None, match.groups()), ""), depth + 1)


def commands_of_words(words: Words, depth: int = 0) -> Iterator[Words]:
    """Yield the commands that these words run: themselves, and what stands behind `sudo` and its like."""
    if depth > DEEPEST:
        return
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return
    program, rest = program_of(words[0]), words[1:]
    yield [program, *rest]
    if program in _SHELLS:
        for index, word in enumerate(rest[:-1]):
            if _SCRIPT_FLAG.fullmatch(word):
                yield from commands_of_text(rest[index + 1], depth + 1)
                return
        if program not in {"su", "cmd", "powershell", "pwsh"}:
            return
    if program in _WRAPPERS or program in _SHELLS:
        yield from _behind(rest, depth)
    elif program in _REMOTE:
        yield from _behind(rest, depth)
        for word in rest:
            script = word.partition("=")[2] if word.startswith("--command=") else word
            if " " in script:
                yield from commands_of_text(script, depth + 1)


def _behind(words: Words, depth: int) -> Iterator[Words]:
    """Yield the commands that start at a word in which another program may stand."""
    for index, word in enumerate(words):
        program = program_of(word)
        is_last = index + 1 == len(words)
        if not is_last and (program in _WRAPPERS or program in _REMOTE or program in _SHELLS):
            yield from commands_of_words(words[index:], depth + 1)
            return_after = program in _SHELLS
            if return_after:
                return
        elif is_last and " " in word and index == 0:
            yield from commands_of_text(word, depth + 1)


def _simple_commands(text: str) -> list[list[str]]:
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        tokens = list(lexer)
    except ValueError:
        return [part.split() for part in _SEPARATORS.split(text) if part.split()]
    commands: list[list[str]] = [[]]
    for token in tokens:
        if _SEPARATORS.fullmatch(token):
            commands.append([])
        else:
            commands[-1].append(token.strip("`") if token.count("`") == 1 else token)
            if token.startswith("`") and token.count("`") == 1 and len(commands[-1]) > 1:
                commands.append([commands[-1].pop()])
    return [command for command in commands if command]
