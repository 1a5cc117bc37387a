"""An EC2 instance without AWS: `python tests/support/pretend_ec2.py [--delay S] [--rate B] …`.

Starts a host with a real sshd, AWS as far as it is asked, and a tunnel endpoint, all on loopback, and prints one line
of JSON: `environment` for `plugport serve`, `instance`, `config_dir`, and `root`, the host's file system. It serves
until its standard input ends or it is interrupted. As root the host is a copy-on-write view of this machine; as uid
1000 it is this machine, and plugins go to `config_dir`, a folder of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from support.pretend_aws import PretendAws, console_with
from support.ssh_host import NoSshHost, SshHost
from support.tunnel_endpoint import HOST, TunnelEndpoint


def main() -> int:
    """Serve; 1 with a reason where no host can be started here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds each message is held up")
    parser.add_argument("--rate", type=float, metavar="B", help="bytes a second that the tunnel lets through")
    parser.add_argument("--cut-after", type=int, metavar="B", help="break the line after so many bytes to the host")
    parser.add_argument("--stall-after", type=int, metavar="B", help="carry nothing after so many bytes to the host")
    parser.add_argument("--refuses", type=int, metavar="STATUS", help="answer every handshake with this status")
    parser.add_argument("--console", action="store_true", help="show the host key on the instance's console")
    parser.add_argument("--max-sessions", type=int, default=10, help="sshd's limit for one connection")
    args = parser.parse_args()
    try:
        host = SshHost()
    except NoSshHost as error:
        print(f"no instance can be pretended here: {error}", file=sys.stderr)
        return 1
    try:
        host.start(MaxSessions=str(args.max_sessions))
        with tempfile.TemporaryDirectory(prefix="pp-ec2-") as folder:
            uvloop.run(_serve(host, Path(folder), args))
    except KeyboardInterrupt:
        pass
    finally:
        host.stop()
    return 0


async def _serve(host: SshHost, folder: Path, args: argparse.Namespace) -> None:
    aws = PretendAws(host.let_in)
    aws.start()
    knobs: dict[str, Any] = {
        name: getattr(args, name) for name in ("delay", "rate", "cut_after", "stall_after", "refuses")
    }
    try:
        async with TunnelEndpoint(folder / "tls", ("127.0.0.1", host.port), **knobs) as endpoint:
            instance = await asyncio.to_thread(aws.run_instance, HOST)
            if args.console:
                aws.consoles[instance] = console_with(host.host_keys)
            config_dir = "/configs" if host.is_view else str(folder / "configs")
            environment = aws.environment() | {
                "SSL_CERT_FILE": str(folder / "tls/ca.pem"),
                "PLUGPORT_EC2_OS_USER": host.user,
                "PLUGPORT_EC2_TUNNEL_CONNECT": f"127.0.0.1:{endpoint.port}",
                "PLUGPORT_CONFIG_DIRS": json.dumps({"claude-code": config_dir}),
            }
            told = {
                "environment": environment,
                "instance": instance,
                "config_dir": config_dir,
                "root": str(host.root),
            }
            print(json.dumps(told | {"ssh_port": host.port, "ssh_keys": str(host.ssh)}), flush=True)
            await asyncio.to_thread(sys.stdin.read)
    finally:
        aws.stop()


if __name__ == "__main__":
    sys.exit(main())
