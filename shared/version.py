"""The version of the installed distribution."""

from importlib import metadata


def version() -> str:
    try:
        return metadata.version("yujing")
    except metadata.PackageNotFoundError:
        return "unknown"
