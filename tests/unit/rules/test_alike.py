"""Alike: equal tuples are kept once, and not without end."""

from services.rules.core.alike import MOST, Alike


def test_equal_tuples_become_one() -> None:
    alike = Alike()
    first = alike(("w01018", str(1)))
    assert alike(("w01018", str(1))) is first
    assert alike(("w01018", "2")) == ("w01018", "2")


def test_columns_without_end_cost_a_bounded_memory() -> None:
    alike = Alike()
    for n in range(MOST * 2 + 7):
        assert alike((n,)) == (n,)
    assert len(alike) <= MOST
