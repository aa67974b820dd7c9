"""Absent: stand-ins for variables that are not set, so that rules can be tried without secrets.

Trying rules sends nothing and opens no port; a build server need not know the gateway's password.
"""

from collections.abc import Iterator, Mapping


class WithStandIns(Mapping[str, str]):
    """An environment in which every variable has a value, each another one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        known = self._environ.get(name)
        return f"{name}-is-not-set-and-not-needed-here" if known is None else known

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def with_stand_ins(environ: Mapping[str, str]) -> Mapping[str, str]:
    return WithStandIns(environ)
