"""Writes the reference pages from the code: docs/providers/hooks.md, docs/errors.md and docs/api.md.

A program: `python tests/project/reference.py`. A test holds the committed pages against what it would write.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from plugport.core.app import ENDPOINTS
from plugport.hookspecs import errors, specs
from plugport.hookspecs.providers import specifications

ROOT = Path(__file__).resolve().parents[2]
_MADE = "<!-- written by tests/project/reference.py: change the code, then run it -->\n"
_PROVIDERS = """\
This is hook API version {version}. Import everything from `plugport.hookspecs`, and mark each function with
`@hookimpl`. A provider is a module or an object, named by an entry point of the group `plugport`; a source provider
has the attribute `schemes`, a backend provider the attribute `backend`. [Registration](registration.md) has the
options of `@hookimpl` and the order of calls.
"""
_AGEING = """\
## How hooks age

| version | what it brought |
|---|---|
{history}

- A hook, or an argument of a hook, is added with a new version. An implementation names the arguments that it
  wants, so one that was written before goes on working.
- A hook or an argument is deprecated before it is removed: `plugport providers` and the log name each provider that
  still has it, and say what to do instead. It is removed no earlier than two minor releases later. That raises the
  oldest version that is loaded, which is {oldest} now.
- A provider may say which version it was written for: `hook_api_version = {version}` beside its implementations. A
  newer version than this plugport has is refused, and so is one that is older than the oldest; the message has both
  numbers. A provider that does not say is taken to have this version.
"""
_PROBLEMS = """\
Every error is `application/problem+json` (RFC 9457): `type` (it ends in the slug), `title`, `status`, `detail`,
`instance`, the members that the slug has, and `request_id`, which finds the log line with the whole story. No
response ever holds the text of an exception that was not written for it.
"""
_ROUTES = """\
`/openapi.json` has the same with every field (OpenAPI 3.1), `/docs` shows it to people. The admin may use every
route; errors are listed in [errors.md](errors.md).
"""


def hooks() -> str:
    """docs/providers/hooks.md."""
    parts = [
        _MADE,
        "# Hooks\n",
        inspect.getdoc(specs) or "",
        "",
        _PROVIDERS.format(version=specs.HOOK_API_VERSION),
    ]
    for name in specifications():
        function = getattr(specs, name)
        signature = str(inspect.signature(function)).replace("'", "")
        routed = getattr(function, f"{specs.PROJECT}_spec")["firstresult"]
        called = "routed to one provider" if routed else "for all providers"
        parts += [f"## {name}\n", f"`{name}{signature}`, {called}\n", f"{inspect.getdoc(function)}\n"]
    history = "\n".join(f"| {version} | {brought} |" for version, brought in specs.HISTORY.items())
    oldest = specs.OLDEST_HOOK_API_VERSION
    parts.append(_AGEING.format(history=history, oldest=oldest, version=specs.HOOK_API_VERSION))
    return "\n".join(parts)


def every_error() -> list[type[errors.PlugportError]]:
    """The tree's classes that reach a client, by status and slug."""
    kinds = (getattr(errors, name) for name in errors.__all__)
    tree = [kind for kind in kinds if issubclass(kind, errors.PlugportError) and kind is not errors.PlugportError]
    return sorted(tree, key=lambda kind: (kind.status, kind.slug))


def problems() -> str:
    """docs/errors.md."""
    rows = []
    for kind in every_error():
        members = ", ".join(f"`{name}`" for name in kind.member_names())
        meaning = " ".join((inspect.getdoc(kind) or "").split())
        rows.append(f"| `{kind.slug}` | {kind.status} | {kind.title} | {members} | {meaning} |")
    head = ["| slug | status | title | further members | |", "|---|---|---|---|---|"]
    return "\n".join([_MADE, "# Errors\n", _PROBLEMS, *head, *rows, ""])


def _routes() -> Iterator[str]:
    for endpoint in ENDPOINTS:
        summary = " ".join((inspect.getdoc(endpoint.handler) or "").partition("\n\n")[0].split())
        statuses = ", ".join(str(status) for status in endpoint.replies)
        yield f"| `{endpoint.method} {endpoint.path}` | {endpoint.access.value} | {statuses} | {summary} |"


def api() -> str:
    """docs/api.md."""
    return "\n".join(
        [
            _MADE,
            "# The API\n",
            _ROUTES,
            "| route | for | answers | |",
            "|---|---|---|---|",
            *_routes(),
            "",
        ]
    )


PAGES = {"docs/providers/hooks.md": hooks, "docs/errors.md": problems, "docs/api.md": api}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (ROOT / name).write_text(write(), "utf-8")
