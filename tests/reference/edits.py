"""Readings changed after they were judged, by going through all records of their series again."""

from fractions import Fraction

from shared.model.report import Report
from shared.model.timed import Discipline
from tests.reference.arithmetic import exact, ratio_of, rounded
from tests.reference.history import History, Life
from tests.reference.seen import Seen


def edits(
    history: History, life: Life, condition: Discipline, own: str, seen: list[Seen]
) -> list[Seen]:
    found: list[Seen] = []
    stop = len(history.records) if life.end is None else life.end
    for index in range(life.begin + 1, stop):
        judged = [s for s in seen if s.index <= index][-condition.within :]
        changed = [s for s in judged if was_edited(history, life, condition, own, s, index)]
        quality = "known" if len(judged) == condition.within else "over"
        share = rounded(Fraction(100 * len(changed), condition.within))
        is_new = bool(judged) and judged[-1].index == index
        before = [s for s in judged if was_edited(history, life, condition, own, s, index - 1)]
        if judged and (is_new or changed != before):
            found.append(Seen(index, judged[-1].at, quality, share))
    return found


def was_edited(
    history: History, life: Life, condition: Discipline, own: str, judged: Seen, until: int
) -> bool:
    """Everything that was said of one reading, from the record that was judged on."""
    by = ratio_of(own, condition.unit or own)

    def holds(saying: tuple[int, float, str]) -> bool:
        _, value, flag = saying
        test = condition.undoes
        assert test is not None
        if flag not in ("N", "S", "T") or (flag == "T" and test.op in ("<", "<=")):
            return False
        return test.holds(rounded(exact(value) * by))

    last: tuple[int, float, str] | None = None
    for index in range(int(judged.index), until + 1):
        record = history.records[index]
        if not isinstance(record, Report) or record.observed_us != judged.at:
            continue
        if (record.facility, record.station) != (life.facility, life.station):
            continue
        if record.interval != condition.interval or condition.indicator not in record.indicators:
            continue
        place = record.indicators.index(condition.indicator)
        now = (record.revision or 0, record.values[place], record.flag(place))
        is_edit = last is not None and now[0] >= last[0] and now[1:] != last[1:]
        if is_edit and (condition.undoes is None or (holds(last) and not holds(now))):
            return True
        if last is None or now[0] >= last[0]:
            last = now
    return False
