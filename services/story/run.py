"""`make run`: the program as it is, the story's configuration, a clock that races and walks."""

import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import structlog
from rich.console import Console

from services.embedded import prepare
from services.story.device import Devices
from services.story.ledger import read
from services.story.player import RACE, WALK, Player
from services.story.screen import Screen
from services.story.texts import Texts
from shared.clock import Clock, ScenarioClock
from shared.errors import YujingError
from shared.model.configuration import Configuration
from shared.observe import logs
from shared.options import Options, clock_of

FOLDER = Path(__file__).parents[2] / "deploy" / "examples" / "story"
START = "2020-01-19T00:00:00+08:00"
UPSTREAM, OPERATOR, SECRET = (
    "YUJING_STORY_UPSTREAM_TOKEN", "YUJING_STORY_OPERATOR_TOKEN", "YUJING_SECRET_KEY",
)  # fmt: skip

log = structlog.get_logger()


class Stage(msgspec.Struct, frozen=True):
    """Where the story is played: one process, or a cluster of them."""

    configuration: Configuration
    clock: ScenarioClock
    client: Callable[[], httpx.Client]
    page: str
    hj212: tuple[str, int]


def run(
    config: Path | None, data: Path, http: str, hj212: str, clock: str | None, *, once: bool
) -> int:
    """Play in one process, print the summary, serve until stopped; 1 when it could not be played."""
    logs.configure("error")
    make_secrets(data)
    options = Options(config or FOLDER / "config", data, http, hj212, clock or START, demo=True)
    running = prepare(options, clock=_clock)
    running.start()
    host, port = running.http_address
    url = f"http://{host}:{port}"
    assert isinstance(running.clock, ScenarioClock)
    stage = Stage(
        running.configuration, running.clock,
        lambda: httpx.Client(base_url=url, timeout=30, trust_env=False), url, running.hj212_address,
    )  # fmt: skip
    code = perform(stage, once=once)
    running.stop()
    return code


def perform(stage: Stage, *, once: bool) -> int:
    """Play in a thread of its own; returns when the story or the process is to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    failed: list[BaseException] = []
    thread = threading.Thread(target=_play, args=(stage, stop, once, failed), daemon=True)
    thread.start()
    # Looks now and then: a signal that another thread took does not wake an endless wait.
    while not stop.wait(0.5):
        pass
    thread.join(5)
    if failed:
        print(f"the story stopped: {failed[0]}", file=sys.stderr)
        return 1
    return 0


def _clock(options: Options, configuration: Configuration) -> Clock:
    clock = clock_of(options, configuration)
    assert isinstance(clock, ScenarioClock)
    clock.fastest = max(RACE, clock.speed)
    return clock


def make_secrets(data: Path) -> None:
    """Tokens and the secret key of this story, made once and kept beside its data."""
    folder = data.parent / f"{data.name}-secrets"
    for name in (UPSTREAM, OPERATOR, SECRET):
        if name in os.environ:
            continue
        path = folder / name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(secrets.token_hex(24), encoding="ascii")
            path.chmod(0o600)
        os.environ[name] = path.read_text(encoding="ascii").strip()


def _play(stage: Stage, stop: threading.Event, once: bool, failed: list[BaseException]) -> None:
    console = Console(highlight=False)
    screen = Screen(console, stage.configuration.site.zone)
    screen.say(f"值班页面 {stage.page}/  （本机浏览器免登录）", "bold")
    operator = {"Authorization": f"Bearer {os.environ[OPERATOR]}"}
    try:
        with stage.client() as http:
            player = Player(
                configuration=stage.configuration,
                clock=stage.clock,
                http=http,
                upstream={"Authorization": f"Bearer {os.environ[UPSTREAM]}"},
                operator=operator,
                device=Devices(*stage.hj212),
                screen=screen,
                texts=Texts(http, operator).new,
                stop=stop,
                walk=float(os.environ.get("YUJING_STORY_WALK", WALK)),
            )
            rows = read(FOLDER / "ledger.csv")
            if not all(row.facility in stage.configuration.facilities for row in rows):
                screen.say("这份配置没有故事里的设施，只提供服务。")
                stop.wait()
                return
            player.play(rows)
            if stop.is_set():
                return
            screen.say(player.summary(), "bold green")
            if once:
                stop.set()
            elif not stop.is_set():
                screen.say(f"继续运行，Ctrl-C 结束。值班页面 {stage.page}/")
                player.serve()
    except (httpx.HTTPError, YujingError, RuntimeError, AssertionError, KeyError) as error:
        if not stop.is_set():
            failed.append(error)
            log.exception("story_failed")
            stop.set()
