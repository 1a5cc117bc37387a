"""`plugport pull`: downloads a plugin for an external agent, and checks it before it replaces the old version."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ....hookspecs.json import JSON
from ..client import EXIT_REFUSED, Client, add_command, print_result

if TYPE_CHECKING:
    from ..pull.keep import EditedFiles
    from ..pull.lay_out import LocalAgent, Outcome


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = add_command(
        subparsers,
        "pull",
        pull,
        help="download a plugin into a directory of this machine, for agents that the service cannot reach",
        description="PLUGPORT_URL names the service, PLUGPORT_TOKEN has the workspace's token. The old version stays "
        "until the new one is complete and has the digest that the service names.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--into", required=True, metavar="PLUGINS_DIR", help="the folder that gets NAME/")
    parser.add_argument("--source", metavar="SOURCE", help="the default is local://NAME")
    parser.add_argument("--layout", metavar="NAME", help="how it is laid out (default: as the workspace says)")
    parser.add_argument("--home", metavar="DIR", default=os.fspath(Path.home()), help="the agent's home")
    parser.add_argument("--grant", action="append", default=[], metavar="NAME", help="give a trust that it demands")
    parser.add_argument("--remove", action="store_true", help="remove what was pulled under a native layout")


def pull(client: Client, args: argparse.Namespace) -> int:
    """Download the plugin, check its digest, and replace the old version. Return the exit code."""
    from ...settings import SettingsInvalid
    from ..pull.download import download
    from ..pull.unpack import PullFailed, Staging, TakenBack

    into = Path(args.into)
    result: dict[str, JSON] = {"plugin": args.name, "path": os.fspath(into / args.name)}
    try:
        if args.remove:
            outcome = asyncio.run(_agent(args, args.layout or "adaptor").remove(args.name))
            print_result(args, result | {"left": list(outcome.left)}, f"removed {args.name}")
            return 0
        with Staging(into, args.name) as staging:
            digest, layout = download(client, args.workspace, args.name, args.source, staging.archive)
            files, layout = staging.unpack(digest), args.layout or layout
            result |= {"digest": digest, "files": len(files), "layout": layout}
            if layout == "adaptor":
                edited = _edited_files(into, args.name)
                kept = edited.set_aside(files)
                staging.swap()
                edited.note(files)
                result |= {"left": list(kept.files), "kept": list(kept.places), "dropped": list(kept.dropped)}
            else:
                agent = _agent(args, layout)
                result |= _shown(asyncio.run(agent.install(staging.tree, args.name, staging.scratch)))
    except SettingsInvalid as error:
        print(f"plugport: {error}", file=sys.stderr)
        return 2
    except PullFailed as error:
        what_is_there = "" if isinstance(error, TakenBack) else "; what was there before is still there"
        print(f"plugport: {error}{what_is_there}", file=sys.stderr)
        return EXIT_REFUSED
    seen = f", seen by the agent: {result['seen']}" if "seen" in result else ""
    headline = f"pulled {args.name} {digest} ({result['files']} files){seen}"
    print_result(args, result, _with_remarks(headline, result, args))
    return 0


def _with_remarks(headline: str, result: dict[str, JSON], args: argparse.Namespace) -> str:
    """Return the headline, then a line for each thing that the result says beside it."""
    from ..remarks import with_remarks

    words = {"unsupported": "not used: ", "needs_grant": "needs --grant ", "kept": "set aside in: "}
    lines = [f"  {word}{text}" for field, word in words.items() for text in cast("list[str]", result.get(field, []))]
    shown: dict[str, JSON] = {field: result[field] for field in ("left", "dropped", "warnings") if field in result}
    return "\n".join([with_remarks(headline, shown, args.workspace), *lines])


def _edited_files(into: Path, name: str) -> EditedFiles:
    from ...settings import Settings
    from ..pull.keep import EditedFiles

    settings = Settings.from_environment()
    return EditedFiles(into, name, settings.data_dir / "pulled", settings.kept_files, settings.kept_bytes)


def _agent(args: argparse.Namespace, layout: str) -> LocalAgent:
    from ..pull.lay_out import LocalAgent
    from ..pull.unpack import PullFailed

    plugins = Path(args.into)
    if plugins.absolute().name != "plugins":
        raise PullFailed(f"the layout {layout} needs --into <the agent's config dir>/plugins")
    return LocalAgent(plugins, Path(args.home), layout, tuple(args.grant))


def _shown(outcome: Outcome) -> dict[str, JSON]:
    return {
        "seen": str(outcome.seen.state),
        "seen_reason": outcome.seen.reason,
        "unsupported": list(outcome.unsupported),
        "needs_grant": list(outcome.needs_grant),
        "left": list(outcome.left),
        "warnings": list(outcome.warnings),
    }
