"""`python -m plugport.lint_rules [lint] …` does what `plugport lint …` does, without the rest of the command line."""

import sys

from .command.main import main

arguments = sys.argv[1:]
raise SystemExit(main(arguments[1:] if arguments[:1] == ["lint"] else arguments, "python -m plugport.lint_rules"))
