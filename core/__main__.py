"""`python -m plugport.core` is `plugport`."""

from .cli import main

raise SystemExit(main())
