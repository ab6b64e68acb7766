"""`retrain`, and `python -I -m runner`."""

from __future__ import annotations

import os
import sys

from runner.cli import start


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(start(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
