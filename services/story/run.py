"""`make run`: the program as it is, the story's configuration, a clock that races and walks."""

import os
import secrets
import signal
import sys
import threading
from pathlib import Path

import httpx
import structlog
from rich.console import Console

from services.embedded import Running, prepare
from services.story.device import Devices
from services.story.ledger import read
from services.story.phone import Phone
from services.story.player import RACE, Player
from services.story.screen import Screen
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


def run(
    config: Path | None, data: Path, http: str, hj212: str, clock: str | None, *, once: bool
) -> int:
    """Play, print the summary, serve until stopped; 1 when the story could not be played."""
    logs.configure("error")
    _secrets(data)
    options = Options(config or FOLDER / "config", data, http, hj212, clock or START, demo=True)
    running = prepare(options, clock=_clock)
    phones = {name: Phone(channel) for name, channel in running.channels.items()}
    running.channels.update(phones)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running.start()
    failed: list[BaseException] = []
    thread = threading.Thread(
        target=_play, args=(running, list(phones.values()), stop, once, failed), daemon=True
    )
    thread.start()
    # Looks now and then: a signal that another thread took does not wake an endless wait.
    while not stop.wait(0.5):
        pass
    running.stop()
    if failed:
        print(f"the story stopped: {failed[0]}", file=sys.stderr)
        return 1
    return 0


def _clock(options: Options, configuration: Configuration) -> Clock:
    clock = clock_of(options, configuration)
    assert isinstance(clock, ScenarioClock)
    clock.fastest = max(RACE, clock.speed)
    return clock


def _secrets(data: Path) -> None:
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


def _play(
    running: Running,
    phones: list[Phone],
    stop: threading.Event,
    once: bool,
    failed: list[BaseException],
) -> None:
    host, port = running.http_address
    url = f"http://{host}:{port}"
    console = Console(highlight=False)
    screen = Screen(console, running.configuration.site.zone)
    screen.say(f"值班页面 {url}/  （本机浏览器免登录）", "bold")
    assert isinstance(running.clock, ScenarioClock)
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
            player = Player(
                configuration=running.configuration,
                clock=running.clock,
                http=http,
                upstream={"Authorization": f"Bearer {os.environ[UPSTREAM]}"},
                operator={"Authorization": f"Bearer {os.environ[OPERATOR]}"},
                device=Devices(*running.hj212_address),
                screen=screen,
                texts=lambda: [text for phone in phones for text in phone.taken()],
                stop=stop,
            )
            rows = read(FOLDER / "ledger.csv")
            if not all(row.facility in running.configuration.facilities for row in rows):
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
                screen.say(f"继续运行，Ctrl-C 结束。值班页面 {url}/")
                player.serve()
    except (httpx.HTTPError, YujingError, RuntimeError, AssertionError, KeyError) as error:
        if not stop.is_set():
            failed.append(error)
            log.exception("story_failed")
            stop.set()
