"""The errors of Yujing, by whose fault they are.

YujingError
├── InputError      theirs: what they sent cannot be taken; says what, which, seen, do
├── ConfigError     the operator's: exit 2, nothing was opened
├── InUse           a port or a data directory is held by another process: exit 3
├── NewerData       the data directory was written by a newer program: exit 4
├── Unavailable     the world's: disk, broker, gateway; trying again may help
│   └── SlowDown    a bounded queue is full; wait and try again
└── Bug             ours: an invariant does not hold; the process must stop
"""


class YujingError(Exception):
    """Root of everything Yujing raises on purpose."""


class InputError(YujingError):
    """Something that came from outside cannot be taken."""


class ConfigError(YujingError):
    """The configuration has errors; each is a `Finding` of shared.config."""


class InUse(YujingError):
    """A port or the data directory is held by another process."""


class NewerData(YujingError):
    """The data directory carries a newer format than this program knows."""


class Unavailable(YujingError):
    """Something outside (disk, broker, gateway) does not answer now; trying again may help."""


class SlowDown(Unavailable):
    """A bounded queue is full; the sender should wait and try again."""


class Bug(YujingError):
    """An invariant does not hold."""
