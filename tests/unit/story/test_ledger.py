"""The story's ledger: published figures as they are, composed ones marked."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from services.story.ledger import read
from services.story.script import EXAMPLE_DAY, example_uploads, ledger_scenes

LEDGER = Path(__file__).parents[3] / "deploy" / "examples" / "story" / "ledger.csv"
ZONE = ZoneInfo("Asia/Shanghai")


def test_empty_cells_are_not_sent() -> None:
    """What was not published is unknown, not zero."""
    row = next(r for r in read(LEDGER) if r.day == date(2020, 2, 11) and r.territory == "420100")

    assert row.readings == {
        "mw.capacity_t": 100.5,
        "mw.collected_t": 47.0,
        "mw.disposed_t": 57.0,
        "mw.epidemic_t": 47.0,
    }


def test_composed_figures_say_so() -> None:
    """Real territories carry published or composed figures, never invented ones."""
    composed = {(r.day.isoformat(), r.territory) for r in read(LEDGER) if r.composed}

    assert composed == {
        ("2020-02-05", "420100"), ("2020-03-01", "420100"), ("2020-03-05", "420100"),
        ("2020-04-10", "420100"), ("2020-04-17", "231000"), ("2020-04-24", "150781"),
    }  # fmt: skip


def test_scenes_come_in_order_of_time() -> None:
    """The scenario clock never runs back."""
    times = [scene.at_us for scene in ledger_scenes(read(LEDGER), ZONE)]
    times += [upload.at_us for upload in example_uploads(ZONE)]

    assert times == sorted(times)


def test_example_stations_report_on_the_example_day_only() -> None:
    """Their morning stands after the last published figure."""
    assert {str(EXAMPLE_DAY)} == {
        upload.data_time[:4] + "-" + upload.data_time[4:6] + "-" + upload.data_time[6:8]
        for upload in example_uploads(ZONE)
    }
