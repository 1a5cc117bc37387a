"""`plugport pull`: downloads a plugin for an external agent, and checks it before it replaces the old version."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..client import EXIT_REFUSED, Client, add_command, print_result


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


def pull(client: Client, args: argparse.Namespace) -> int:
    """Download the plugin, check its digest, and replace the old version. Return the exit code."""
    from ..pull.download import download
    from ..pull.unpack import PullFailed, Staging

    try:
        with Staging(Path(args.into), args.name) as staging:
            digest = download(client, args.workspace, args.name, args.source, staging.archive)
            files = staging.unpack(digest)
            staging.swap()
    except PullFailed as error:
        print(f"plugport: {error}; what was there before is still there", file=sys.stderr)
        return EXIT_REFUSED
    result = {
        "plugin": args.name,
        "digest": digest,
        "path": os.fspath(Path(args.into) / args.name),
        "files": files,
    }
    print_result(args, result, f"pulled {args.name} {digest} ({files} files)")
    return 0
