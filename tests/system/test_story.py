"""`make run` unattended: the known episodes, a summary, and going on when started again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.testing.parts.kannel import free_ports

pytestmark = [pytest.mark.system, pytest.mark.timeout(280)]

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


def _play(data: Path, seconds: int) -> str:
    http, hj212 = free_ports(2)
    environ = os.environ | {
        "YUJING_DATA": str(data),
        "YUJING_HTTP": f"127.0.0.1:{http}",
        "YUJING_HJ212": f"127.0.0.1:{hj212}",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "services", "story", "--once"],
        env=environ, capture_output=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


def test_the_story_of_2020_to_2022_ends_in_three_minutes_and_goes_on(tmp_path: Path) -> None:
    """Unattended: every known episode in order, officials answer, one incident reaches the top."""
    told = _play(tmp_path / "故事 数据", 180)

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

    again = _play(tmp_path / "故事 数据", 60)

    assert "继续" in again
    assert not [line for line in again.splitlines() if "▲ 触发" in line]
