"""`plugport demo`: installs, pulls and uninstalls a sample plugin with a service of its own."""

from __future__ import annotations

import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("demo", help="start a service, install a sample plugin, show it, remove it")
    parser.add_argument(
        "--ec2",
        action="store_true",
        help="include a simulated EC2 instance (needs plugport[simulator] and sshd)",
    )
    parser.add_argument(
        "--agent", metavar="LAYOUT", help="include an agent whose command is on the PATH, such as claude-code"
    )
    parser.set_defaults(command=demo)


def demo(args: argparse.Namespace) -> int:
    """Run the demo. If everything worked, the last line starts with `demo: ok`, and the exit code is 0."""
    from ..demo import DemoFailed
    from ..demo.steps import run_demo

    try:
        print(run_demo(with_ec2=args.ec2, agent=args.agent))
    except DemoFailed as error:
        print(f"demo: failed: {error}")
        return 1
    return 0
