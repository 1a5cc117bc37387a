"""`python -m plugport.core` is `plugport`."""

from plugport.core.cli import main

raise SystemExit(main())
