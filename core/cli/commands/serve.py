"""`plugport serve`: runs the service until it is stopped."""

from __future__ import annotations

import argparse
import os
import sys

_FLAGS = ("host", "port", "data_dir", "plugins_dir", "strict_providers", "trace_hooks")
"""Each overrides the setting of its name."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "serve",
        help="run the service",
        description="Settings come from the environment (PLUGPORT_…); a flag overrides its setting.",
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", help="port to listen on (8080); 0 chooses a free one")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="the folder for the database, the cache and temporary files"
    )
    parser.add_argument("--plugins-dir", metavar="DIR", help="the folder of the plugins behind local://")
    parser.add_argument("--strict-providers", action="store_true", help="refuse to start if a provider fails")
    parser.add_argument(
        "--trace-hooks", action="store_true", help="log each call of a hook with its provider and outcome"
    )
    parser.set_defaults(command=serve)


def serve(args: argparse.Namespace) -> int:
    """Serve. Return 2 if a setting is invalid, or the data directory, the plugins directory or the database cannot be
    used; 1 if the start fails in another way."""
    from ...settings import Settings, SettingsInvalid
    from ...telemetry import configure_logging

    for flag in _FLAGS:
        if (value := getattr(args, flag)) not in {None, False}:
            os.environ[f"PLUGPORT_{flag.upper()}"] = str(value)
    try:
        settings = Settings.from_environment()
    except SettingsInvalid as error:
        print(f"plugport: {error}", file=sys.stderr)
        return 2
    configure_logging(os.environ.get("PLUGPORT_LOG_LEVEL", "INFO"))
    from ..data_dir import DataDirUnusable, exclusive_data_dir, require_catalog
    from ..server import StartFailed, run_server

    try:
        with exclusive_data_dir(settings.data_dir):
            require_catalog(settings.catalog_dir)
            return 0 if run_server(settings) else 1
    except (DataDirUnusable, StartFailed) as error:
        print(f"plugport: {error}", file=sys.stderr)
        return 2
