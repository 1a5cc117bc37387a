"""`python -m plugport.lint_rules`: for the time until `plugport` itself has its command line."""

import argparse
import importlib

parser = argparse.ArgumentParser("plugport")
importlib.import_module("plugport.core.cli.commands.lint").register(parser.add_subparsers(required=True))
arguments = parser.parse_args()
raise SystemExit(arguments.command(arguments))
