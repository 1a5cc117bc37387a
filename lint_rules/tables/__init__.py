"""Facts about libraries, as tables that the rules read."""
