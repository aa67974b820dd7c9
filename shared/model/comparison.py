"""Comparison: one side of a test, as rules write it and as transitions show it."""

from typing import Literal

import msgspec

Op = Literal[">", ">=", "<", "<="]


class Comparison(msgspec.Struct, frozen=True):
    """One side test such as `>= 80`; `text` is as the file has it and what transitions show."""

    op: Op
    limit: float
    text: str

    def holds(self, value: float) -> bool:
        match self.op:
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit

    def negated(self) -> "Comparison":
        """What holds exactly when this does not: the clear test of a level without one."""
        op = _NEGATED[self.op]
        return Comparison(op, self.limit, f"{op} {number_text(self.limit)}")


_NEGATED: dict[Op, Op] = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def number_text(value: float) -> str:
    """A number as people write it: no trailing `.0`, no exponent for ordinary sizes."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
