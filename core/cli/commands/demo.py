"""`plugport demo`: the main job on the embedded default, from an empty directory to nothing left."""

from __future__ import annotations

import argparse
import sys


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("demo", help="start a service, install a sample plugin, show it, take it away")
    parser.add_argument(
        "--ec2",
        action="store_true",
        help="include a simulated EC2 instance (needs plugport[simulator] and sshd)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 where all of it worked, and then the last line starts with `demo: ok`."""
    from ..demo.steps import DemoFailed, demonstrate

    try:
        print(demonstrate(with_ec2=args.ec2))
    except DemoFailed as error:
        print(f"demo: failed: {error}", file=sys.stdout)
        return 1
    return 0
