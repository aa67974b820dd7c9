"""How a service finds its password for PostgreSQL: from a file, read at every connect.

libpq's own ways (in the url, PGPASSWORD, PGPASSFILE) work as ever and come first.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import ConfigError

PASSWORD_FILE = "YUJING_DATABASE_PASSWORD_FILE"  # noqa: S105  the variable's name


def password_from_file() -> str | None:
    """What stands in the file that `YUJING_DATABASE_PASSWORD_FILE` names, if it names one.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = os.environ.get(PASSWORD_FILE)
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"{PASSWORD_FILE}: {path} cannot be read: {error.strerror}; mend the file"
        ) from error


def secret_for(url: str) -> str | None:
    """What a connection to `url` needs beside it; None when the url has one or libpq finds one."""
    return None if urlsplit(url).password else password_from_file()
