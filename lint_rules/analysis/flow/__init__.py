"""Follows the text of errors through a project, for PP002."""
