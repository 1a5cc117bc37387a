"""`plugport pull`: an external agent gets a plugin, checked before it touches the old version."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "pull",
        help="download a plugin into a directory of this machine, for agents that nobody reaches",
        description="PLUGPORT_URL and PLUGPORT_TOKEN say where to and as whom. The old version stays until the new "
        "one is here whole and has the digest that the service names.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--into", required=True, metavar="PLUGINS_DIR", help="gets NAME/ as a directory in it")
    parser.add_argument("--source", metavar="SOURCE", help="local://NAME where it is left out")
    parser.add_argument("--url", help="the service (PLUGPORT_URL, else http://127.0.0.1:8080)")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Download, check, swap; 1 where the service or the check refuses, 3 where the service does not answer."""
    from ..client import REFUSED, UNREACHED, Client, Refused, Unreached, tell
    from ..pull.download import download
    from ..pull.unpack import PullFailed, Staging

    try:
        client = Client(args.url)
        with Staging(Path(args.into), args.name) as staging:
            pulled = download(client, args.workspace, args.name, args.source, staging.archive)
            files = staging.unpack(pulled.digest)
            staging.swap()
    except Refused as refusal:
        tell(refusal.problem, as_json=args.json)
        return REFUSED
    except Unreached as error:
        print(f"plugport: {error}", file=sys.stderr)
        return UNREACHED
    except PullFailed as error:
        print(f"plugport: {error}; what was there before is still there", file=sys.stderr)
        return REFUSED
    told = {
        "plugin": args.name,
        "digest": pulled.digest,
        "path": os.fspath(Path(args.into) / args.name),
        "files": files,
    }
    print(json.dumps(told) if args.json else f"pulled {args.name} {pulled.digest} ({files} files)")
    return 0
