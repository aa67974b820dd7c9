"""The data directory: one owner, one format, looked at before it is touched."""

from pathlib import Path

import pytest

from shared import data_directory
from shared.data_directory import DATA_FORMAT, DataDirectory
from shared.errors import InUse, NewerData


def test_a_second_owner_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    """Two processes on one directory would both be right and both be lost."""
    first = DataDirectory(tmp_path / "数据 目录")

    with pytest.raises(InUse, match="another process"):
        DataDirectory(tmp_path / "数据 目录")
    first.close()

    DataDirectory(tmp_path / "数据 目录").close()


def test_the_format_stands_on_the_first_line_of_version(tmp_path: Path) -> None:
    """An operator can read it, and so can the next program."""
    DataDirectory(tmp_path).close()

    assert (tmp_path / "VERSION").read_text().splitlines()[0] == str(DATA_FORMAT)


@pytest.mark.parametrize("text", [str(DATA_FORMAT + 1), "soon", ""])
def test_data_of_a_newer_program_is_left_alone(tmp_path: Path, text: str) -> None:
    """An old program must not write where a newer one has been."""
    (tmp_path / "VERSION").write_text(text)

    with pytest.raises(NewerData, match="VERSION"):
        DataDirectory(tmp_path)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["VERSION"]


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """A refused start must leave no trace."""
    data_directory.check(tmp_path / "none")

    assert not (tmp_path / "none").exists()
