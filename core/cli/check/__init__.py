"""What `plugport check` does: it reads a plugin, asks every layout, and reports."""
