"""The command line: `yujing`. Every command says what it needs and what to do when it fails."""

import sys

from services.cli import ask, kafka, quiet, run, try_out, wire
from services.cli.groups import app
from services.cli.options import EXIT_CONFIG, EXIT_FAILED, EXIT_IN_USE, EXIT_NEWER
from shared.errors import ConfigError, InUse, NewerData, YujingError

COMMANDS = (run, try_out, wire, ask, quiet, kafka)
"""Importing them adds their commands to `app`."""


def main() -> None:
    """Run a command; errors become exit codes: 2 configuration, 3 in use, 4 newer data."""
    try:
        app()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_CONFIG)
    except InUse as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_IN_USE)
    except NewerData as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_NEWER)
    except YujingError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_FAILED)
