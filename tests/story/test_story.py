"""The story unattended: `make run` tells the known episodes, `make run-kafka` tells the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.testing.program import free_ports

pytestmark = [pytest.mark.system, pytest.mark.timeout(700)]

EXPECTED = [
    r"2020-02-05 武汉市 .*97\.8 % 黄色 yellow ▲ 触发（组合数据）",
    r"2020-02-11 武汉市 .*56\.72 % 黄色 yellow ▽ 解除",
    r"2020-03-01 武汉市 .*166\.4 % 红色 red ▲ 触发（组合数据）",
    r"2020-03-05 武汉市 .* 红色 red ▽ 解除",
    r"2020-04-17 牡丹江市 .*137\.5 % 红色 red ▲ 触发（组合数据）",
    r"2020-04-18 牡丹江市 .* 红色 red ▽ 解除",
    r"2020-04-24 满洲里市 .*100 % 橙色 orange ▲ 触发（组合数据）",
    r"2020-04-25 满洲里市 .* 橙色 orange ▽ 解除",
    r"2022-05-01 上海市 .*357\.1 % 红色 red ▲ 触发",
]


SILENCE = "余氯数据中断"
"""Silence counts from the tick before the last reading, and ticks are minutes apart in a race:
when it began, and so the incident's ticket, is not the same in two runs of any mode."""


def play(data: Path, seconds: int, *arguments: str) -> str:
    http, hj212 = free_ports(2)
    environ = os.environ | {
        "YUJING_DATA": str(data),
        "YUJING_HTTP": f"127.0.0.1:{http}",
        "YUJING_HJ212": f"127.0.0.1:{hj212}",
        "YUJING_STORY_WALK": "180",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "services", "story", "--once", *arguments],
        env=environ, capture_output=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("story") / "故事 数据"


@pytest.fixture(scope="module")
def told(data: Path) -> str:
    """What one process tells."""
    return play(data, 600)


def test_every_known_episode_is_told_in_order(told: str) -> None:
    """Unattended: officials answer, and one incident reaches the top."""
    lines = told.splitlines()
    at = -1
    for pattern in EXPECTED:
        found = [i for i, line in enumerate(lines) if re.match(pattern, line)]
        assert found, f"no line {pattern!r} in\n{told}"
        assert found[0] > at, pattern
        at = found[0]
    assert any(line.startswith("小结") for line in lines)
    assert "✔ 全国带班领导 已确认：上海医废" in told
    assert "示例医院污水" in told and "示例空气站" in told and "示例二院污水" in told


def test_started_again_it_goes_on(told: str, data: Path) -> None:
    """What was told is not told again."""
    assert told
    again = play(data, 120)
    assert "继续" in again
    assert not [line for line in again.splitlines() if "▲ 触发" in line]


@pytest.mark.needs("kafka", "postgres")
def test_a_cluster_tells_the_same(told: str, tmp_path: Path) -> None:
    """Transitions and messages of `make run` and `make run-kafka`, line by line."""
    cluster = play(tmp_path / "cluster", 600, "--cluster")
    assert transitions(cluster) == transitions(told)
    assert messages(cluster) == messages(told)


def transitions(told: str) -> list[str]:
    """Firings and clearings; two facilities at one instant have no order."""
    return sorted(line for line in told.splitlines() if re.match(r"\d{4}-\d\d-\d\d .*[▲▽]", line))


def messages(told: str) -> list[str]:
    """Who was told what, without the minute at which the terminal showed it."""
    found = [line.partition("☎ ")[2] for line in told.splitlines() if "☎ " in line]
    return sorted(
        re.sub(r"\d\d:\d\d起|收到 [A-Z]\d", "", text) if SILENCE in text else text for text in found
    )
