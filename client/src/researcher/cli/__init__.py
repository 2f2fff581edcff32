"""The command line: `researcher`.

Rules of all commands: stdout is the answer and nothing else, so that it can be piped; everything else goes to stderr.
JSON and YAML are what the API responds. A command imports what it needs when it runs, because `--help` and completion
must not wait for the rest.
"""

from __future__ import annotations

from researcher.cli.main import main

__all__ = ["main"]
