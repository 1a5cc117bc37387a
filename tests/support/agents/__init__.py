"""The real agents of tests/runtimes: how each is installed, run and asked, and the plugin that it is shown."""
