"""An EC2 instance without AWS: `python -m plugport.builtin_backends.ec2.simulator [--delay S] [--rate B] …`.

Prints one line of JSON when the instance is ready: `environment` (for `plugport serve`), `instance` (its id),
`config_dir`, and `root` (the path of its file system on this machine). Runs until standard input ends or it is
interrupted. Started by root, the instance is a copy-on-write view of this machine; started by uid 1000, it is this
machine, and plugins go to `config_dir`, a temporary folder. Exits with 1 and a reason if it cannot start.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run the simulator and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m plugport.builtin_backends.ec2.simulator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--delay", type=float, default=0.0, metavar="S", help="delay each message by S seconds")
    parser.add_argument("--rate", type=float, metavar="B", help="limit the tunnel to B bytes a second")
    parser.add_argument("--cut-after", type=int, metavar="B", help="break the connection after B bytes to the host")
    parser.add_argument("--stall-after", type=int, metavar="B", help="forward nothing after B bytes to the host")
    parser.add_argument("--refuse-status", type=int, metavar="STATUS", help="refuse every tunnel with this status")
    parser.add_argument("--console", action="store_true", help="show the host key on the instance's console")
    parser.add_argument("--max-sessions", type=int, default=10, metavar="N", help="sshd's MaxSessions")
    args = parser.parse_args()
    try:
        import uvloop

        from .instance import simulated_instance
        from .ssh_host import SshHost, SshHostUnavailable
        from .tunnel_endpoint import SimulatedEndpoint
    except ModuleNotFoundError as error:
        print(f"the simulator needs {error.name}: pip install 'plugport[simulator]'", file=sys.stderr)
        return 1

    async def serve(host: SshHost, folder: Path) -> None:
        endpoint = SimulatedEndpoint(folder / "tls", ("127.0.0.1", host.port), refuse_status=args.refuse_status)
        endpoint.delay, endpoint.rate = args.delay, args.rate
        endpoint.cut_after, endpoint.stall_after = args.cut_after, args.stall_after
        async with simulated_instance(host, endpoint, folder / "configs", show_console=args.console) as instance:
            print(json.dumps(dataclasses.asdict(instance)), flush=True)
            await asyncio.to_thread(sys.stdin.read)

    try:
        host = SshHost()
    except SshHostUnavailable as error:
        print(f"the simulator cannot start its host: {error}", file=sys.stderr)
        return 1
    try:
        host.start(MaxSessions=str(args.max_sessions))
        with tempfile.TemporaryDirectory(prefix="pp-ec2-") as folder, contextlib.suppress(KeyboardInterrupt):
            uvloop.run(serve(host, Path(folder)))
    finally:
        host.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
