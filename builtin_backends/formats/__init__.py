"""The formats: how a plugin says what it has. A module per format, and a module per part that formats share."""
