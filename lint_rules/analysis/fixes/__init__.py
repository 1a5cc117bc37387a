"""The fixes of the built-in rules: each makes the edits for one kind of finding, or nothing if it cannot be sure."""
