"""`plugport new-provider`: a package that works, to make a provider from."""

from __future__ import annotations

import argparse
import json
import re
import sys
from importlib.metadata import distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from keyword import iskeyword
from pathlib import Path

KINDS = ("source", "backend", "policy", "observer", "lint-rule")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_ABOUT = {
    "source": ("A source for plugport: plugins of `acme-registry://<name>`.", "the source"),
    "backend": (
        "A backend for plugport: it carries plugins into workspaces of the backend `acme-registry`.",
        "the backend",
    ),
    "policy": ("A policy for plugport: it says which plugins may be installed.", "the policy"),
    "observer": ("An observer for plugport: it tells of what was installed.", "the observer"),
    "lint-rule": ("Rules for `plugport lint`.", "which rules there are; each is a module beside it"),
}
_POINTS = """\
[project.entry-points.plugport]
acme-registry = "acme_registry:provider"

[project.entry-points."plugport.conformance"]
acme-registry = "acme_registry.conformance:target\""""
_RULE_POINTS = """\
[project.entry-points."plugport.lint"]
acme-registry = "acme_registry\""""
_CONFORM = """
[testenv:conform]
description = the conformance kit against the installed package
set_env = PLUGPORT_DATA_DIR = {env_tmp_dir}
commands = plugport conform acme-registry
"""
_MORE = "| `src/acme_registry/conformance.py` | what the conformance kit tries it on |\n"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "new-provider",
        help="make a package that works, to write a provider from",
        description="Writes the folder NAME: pyproject, implementation, tests, tox and CI. Nothing is overwritten.",
    )
    parser.add_argument("name", metavar="NAME", help="as in acme-registry: the package, and what it is called by")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--into", metavar="DIR", default=".", help="where the folder is made (.)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the package; 2 where the name or the place cannot be used."""
    fault = _fault(args.name)
    folder = Path(args.into) / args.name
    if fault is None and folder.exists():
        fault = f"{folder} is there already: choose another name, or --into another folder"
    if fault is not None:
        print(f"plugport: {fault}", file=sys.stderr)
        return 2
    skeletons = files("plugport.core").joinpath("data/skeletons")
    words = _words(args.name, args.kind)
    try:
        for part in ("common", args.kind):
            _write(skeletons.joinpath(part), folder, words)
    except OSError as error:
        print(f"plugport: {folder} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{folder}: {'an' if args.kind == 'observer' else 'a'} {args.kind} that works. Next: cd {folder} && tox")
    if " @ " in words["{{tested_with}}"]:
        print(f"tox.ini tests it with the plugport that is installed here, {words['{{tested_with}}']}")
    return 0


def _fault(name: str) -> str | None:
    """What is wrong with the name, and what to do."""
    module = name.replace("-", "_")
    if not _NAME.match(name) or len(name) > 60:
        return f"{name!r} is no name: small letters and digits, words joined by a dash, as in acme-registry"
    if name == "plugport" or module in sys.stdlib_module_names or iskeyword(module):
        return f"{name!r} is taken by Python or by plugport: put another word before it, as in acme-{name}"
    return None


def _words(name: str, kind: str) -> dict[str, str]:
    """What is replaced in the skeletons, in order."""
    about, what = _ABOUT[kind]
    rules = kind == "lint-rule"
    return {
        "{{entry_points}}": _RULE_POINTS if rules else _POINTS,
        "{{envs}}": "py, gates" if rules else "py, gates, conform",
        "{{conform_env}}": "" if rules else _CONFORM,
        "{{requirement}}": f"plugport{'[lint]' if rules else ''}>={_version()}",
        "{{about}}": about,
        "{{what}}": what,
        "{{more}}": "" if rules else _MORE,
        "{{look}}": "lint" if rules else "providers acme-registry",
        "{{code}}": _code(name),
        "acme-registry": name,
        "acme_registry": name.replace("-", "_"),
        "ACME_REGISTRY": name.replace("-", "_").upper(),
        "AcmeRegistry": "".join(word.capitalize() for word in name.split("-")),
        "{{tested_with}}": _tested_with(),
    }


def _write(skeleton: Traversable, folder: Path, words: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in skeleton.iterdir():
        place = folder / _replaced(one.name.removesuffix(".in"), words)
        if one.is_dir():
            _write(one, place, words)
        elif one.name.endswith(".in"):
            text = _replaced(one.read_text("utf-8"), words)
            place.write_text(text.rstrip("\n") + "\n" if text.strip() else "", "utf-8")


def _replaced(text: str, words: dict[str, str]) -> str:
    for word, by in words.items():
        text = text.replace(word, by)
    return text


def _version() -> str:
    return ".".join(distribution("plugport").version.split(".")[:2])


def _tested_with() -> str:
    """The plugport that is installed here: from where it was installed, if that is no index (PEP 610)."""
    origin = json.loads(distribution("plugport").read_text("direct_url.json") or "{}")
    url, repository = origin.get("url"), origin.get("vcs_info")
    if repository:
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    return f"plugport[conformance,lint]{f' @ {url}' if url else f'>={_version()}'}"


def _code(name: str) -> str:
    """A rule's code: the words' initials, or the first letters of the one word."""
    parts = name.split("-")
    letters = "".join(re.sub(r"[^a-z]", "", part)[:1] for part in parts) if len(parts) > 1 else parts[0][:3]
    return f"{re.sub(r'[^A-Z]', '', letters.upper())}001"
