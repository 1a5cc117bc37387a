"""`plugport new-provider`: writes a package that works, to build a provider from."""

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

KINDS = ("source", "backend", "format", "policy", "observer", "lint-rule")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_NAME_LENGTH = 60
_ABOUT = {
    "source": ("A source for plugport: plugins of `acme-registry://<name>`.", "the source"),
    "backend": (
        "A backend for plugport: it carries plugins into workspaces of the backend `acme-registry`.",
        "the backend",
    ),
    "format": ("A format for plugport: it says what a plugin with `acme-registry.json` has.", "the format"),
    "policy": ("A policy for plugport: it says which plugins may be installed.", "the policy"),
    "observer": ("An observer for plugport: it tells of what was installed.", "the observer"),
    "lint-rule": ("Rules for `plugport lint`.", "which rules there are; each is a module beside it"),
}
_ENTRY_POINTS = """\
[project.entry-points.plugport]
acme-registry = "acme_registry:provider"

[project.entry-points."plugport.conformance"]
acme-registry = "acme_registry.conformance:target\""""
_LINT_ENTRY_POINTS = """\
[project.entry-points."plugport.lint"]
acme-registry = "acme_registry\""""
_CONFORM_ENV = """
[testenv:conform]
description = the conformance kit against the installed package
set_env = PLUGPORT_DATA_DIR = {env_tmp_dir}
commands = plugport conform acme-registry
"""
_CONFORM_ROW = "| `src/acme_registry/conformance.py` | what the conformance kit tries it on |\n"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "new-provider",
        help="write a package that works, to build a provider from",
        description="Writes the folder NAME: pyproject, implementation, tests, tox and CI. Nothing is overwritten.",
    )
    parser.add_argument("name", metavar="NAME", help="the name of the package and the provider, as in acme-registry")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--into", metavar="DIR", default=".", help="the folder in which NAME is created (.)")
    parser.set_defaults(command=write_package)


def write_package(args: argparse.Namespace) -> int:
    """Write the package. Return 2 if the name or the folder cannot be used."""
    folder = Path(args.into) / args.name
    problem = _problem_with_name(args.name)
    if problem is None and folder.exists():
        problem = f"{folder} is there already: choose another name, or --into another folder"
    if problem is not None:
        print(f"plugport: {problem}", file=sys.stderr)
        return 2
    skeletons = files("plugport.core").joinpath("data/skeletons")
    replacements = _replacements(args.name, args.kind)
    try:
        for skeleton in ("common", args.kind):
            _copy(skeletons.joinpath(skeleton), folder, replacements)
    except OSError as error:
        print(f"plugport: {folder} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{folder}: {'an' if args.kind == 'observer' else 'a'} {args.kind} that works. Next: cd {folder} && tox")
    tested_with = replacements["{{tested_with}}"]
    if " @ " in tested_with:
        print(f"tox.ini tests it with the plugport that is installed here, {tested_with}")
    return 0


def _problem_with_name(name: str) -> str | None:
    module = name.replace("-", "_")
    if not _NAME.match(name) or len(name) > _NAME_LENGTH:
        return f"{name!r} is no name: small letters and digits, words joined by a dash, as in acme-registry"
    if name == "plugport" or module in sys.stdlib_module_names or iskeyword(module):
        return f"{name!r} is taken by Python or by plugport: put another word before it, as in acme-{name}"
    return None


def _replacements(name: str, kind: str) -> dict[str, str]:
    """Return what replaces which text in the skeletons, in order: a replacement may contain a later text."""
    about, module_about = _ABOUT[kind]
    is_rule = kind == "lint-rule"
    return {
        "{{entry_points}}": _LINT_ENTRY_POINTS if is_rule else _ENTRY_POINTS,
        "{{envs}}": "py, gates" if is_rule else "py, gates, conform",
        "{{conform_env}}": "" if is_rule else _CONFORM_ENV,
        "{{requirement}}": f"plugport{'[lint]' if is_rule else ''}>={_version()}",
        "{{about}}": about,
        "{{what}}": module_about,
        "{{more}}": "" if is_rule else _CONFORM_ROW,
        "{{look}}": "lint" if is_rule else "providers acme-registry",
        "{{code}}": _rule_code(name),
        "acme-registry": name,
        "acme_registry": name.replace("-", "_"),
        "ACME_REGISTRY": name.replace("-", "_").upper(),
        "AcmeRegistry": "".join(word.capitalize() for word in name.split("-")),
        "{{tested_with}}": _tested_with(),
    }


def _copy(skeleton: Traversable, folder: Path, replacements: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in skeleton.iterdir():
        path = folder / _replace(entry.name.removesuffix(".in"), replacements)
        if entry.is_dir():
            _copy(entry, path, replacements)
        elif entry.name.endswith(".in"):
            text = _replace(entry.read_text("utf-8"), replacements).rstrip("\n")
            path.write_text(text + "\n" if text.strip() else "", "utf-8")


def _replace(text: str, replacements: dict[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def _version() -> str:
    return ".".join(distribution("plugport").version.split(".")[:2])


def _tested_with() -> str:
    """Return the requirement for the installed plugport, with its URL if it comes from no index (PEP 610)."""
    origin = json.loads(distribution("plugport").read_text("direct_url.json") or "{}")
    url, repository = origin.get("url"), origin.get("vcs_info")
    if repository:
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    return f"plugport[conformance,lint]{f' @ {url}' if url else f'>={_version()}'}"


def _rule_code(name: str) -> str:
    """Return a rule's code: the initials of the name's words, or the first three letters of a single word."""
    parts = name.split("-")
    letters = "".join(re.sub(r"[^a-z]", "", part)[:1] for part in parts) if len(parts) > 1 else parts[0][:3]
    return f"{re.sub(r'[^A-Z]', '', letters.upper())}001"
