"""`POST /v1/sheets/{template}`: what people fill in, as they fill it in."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from services.ingest.bodies import Refused
from services.ingest.sheet_files import SHEET_TYPES, XLSX
from services.ingest.sheets import read_sheet
from shared.model.instants import instant_text
from shared.model.sheet import Sheet, SheetColumn, facility_names
from shared.reports.candidate import Candidate, Rejection
from tests.unit.ingest.ingest_house import OFFICER, ZONE, House, configuration

DAILY = Sheet(
    id="mw-daily",
    title="医废日报",
    tab=None,
    interval="day",
    facility=None,
    columns=(
        SheetColumn("日期", field="observed_at"),
        SheetColumn("单位名称", field="facility_name"),
        SheetColumn("处置量（公斤）", indicator="mw.disposed_t", unit="kg"),
        SheetColumn("贮存量", indicator="mw.stored_t"),
        SheetColumn("贮存标记", indicator="mw.stored_t", is_flag=True),
        SheetColumn("备注", field="ignore"),
    ),
    ignores_others=False,
)
HEAD = ["日期", "单位名称", "处置量(公斤)", "贮存量", "贮存标记", "备注"]
BOTH = 2


@pytest.fixture
def desk(house: House) -> House:
    """The house with a template; its routes are made anew."""
    house.serve(msgspec.structs.replace(house.configuration, sheets={"mw-daily": DAILY}))
    return house


def book(*rows: list[Any], tab: str = "Sheet1") -> bytes:
    made = Workbook(write_only=True)
    sheet = made.create_sheet(tab)
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def post(house: House, body: bytes, template: str = "mw-daily", **more: Any) -> Any:
    return house.post(body, path=f"/v1/sheets/{template}", kind=more.pop("kind", XLSX), **more)


def test_a_daily_table_as_people_write_it(desk: House) -> None:
    """A title above, dates of every kind, numbers typed as text, blanks, a remark, a last line."""
    sent = book(
        ["武汉市医疗废物处置日报"],
        [],
        HEAD,
        [datetime.fromisoformat("2026-02-20"), "甲", 41200, 3.5, None, "正常"],
        [date(2026, 2, 21), " 甲 ", "４１３００", None, None, None],
        ["2026年2月22日", "甲", None, "4.25", "M", None],
        ["2026/2/23", "甲", 0, None, None, None],
        ["合计", None, 82500, None, None, None],
    )
    answer = post(desk, sent)
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["accepted"], said["duplicates"]) == (4, 0)
    (refused,) = said["rejected"]
    assert (refused["index"], refused["row"]) == (4, 8)
    found = [
        (instant_text(r.observed_us, ZONE)[:10], r.interval, r.indicators, r.values, r.flags)
        for r in desk.reports()
    ]
    both = ("mw.disposed_t", "mw.stored_t")
    assert found == [
        ("2026-02-20", "day", both, (41.2, 3.5), None),
        ("2026-02-21", "day", both[:1], (41.3,), None),
        ("2026-02-22", "day", both[1:], (4.25,), ("M",)),
        ("2026-02-23", "day", both[:1], (0.0,), None),
    ]
    assert {r.listener for r in desk.reports()} == {"sheet"}
    again = post(desk, sent).json()
    assert (again["accepted"], again["duplicates"]) == (0, 4)
    assert desk.count("yujing_reports_total", listener="sheet", result="accepted") == 4


def test_a_refused_cell_is_named_as_the_sheet_names_it(desk: House) -> None:
    sent = book(
        HEAD,
        ["2026-02-20", "甲", "约四十吨", None, None, None],
        ["昨天", "甲", 1, None, None, None],
        ["2026-02-20", "不是我的", 1, None, None, None],
        ["2026-02-20", "甲", None, None, None, "停产"],
    )
    answer = post(desk, sent)
    assert answer.status_code == 422
    rejected = answer.json()["rejected"]
    assert [(r["row"], r.get("cell")) for r in rejected] == [
        (2, "C2"), (3, "A3"), (4, "B4"), (5, None),
    ]  # fmt: skip
    assert [r["type"].removeprefix("/problems/") for r in rejected] == [
        "bad-number", "bad-time", "not-yours", "bad-field",
    ]  # fmt: skip
    assert desk.reports() == []


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (HEAD[:3], "'贮存量'"),
        ([*HEAD, "新的一列"], "'新的一列'"),
        ([*HEAD, "日期"], "stands twice"),
        (["x"], "no row among the first"),
    ],
)
def test_a_header_of_another_template_is_refused_as_a_whole(
    desk: House, head: list[str], part: str
) -> None:
    answer = post(desk, book(head, ["2026-02-20", "甲", 1, 1, None, None]))
    assert answer.status_code == 400
    assert part in answer.json()["detail"]


def test_csv_of_a_reading_a_row_needs_no_template(desk: House) -> None:
    """Rows of one report stand together; UTF-8 with its mark and GB18030 alike."""
    text = (
        "observed_at,facility,interval,indicator,value,unit,flag\r\n"
        "2026-02-20,420100-mw-01,day,mw.disposed_t,41.2,t,\r\n"
        "2026-02-20,420100-mw-01,day,mw.stored_t,3,t,S\r\n"
        "2026-02-21,420100-mw-01,day,mw.disposed_t,40,,\r\n"
        "2026-02-22,420100-mw-01,day,mw.disposed_t,4O,,\r\n"
    )
    answer = post(desk, text.encode("utf-8-sig"), "readings", kind="text/csv").json()
    assert answer["accepted"] == BOTH
    assert [(r["row"], r["cell"]) for r in answer["rejected"]] == [(5, "E5")]
    assert [len(r.values) for r in desk.reports()] == [2, 1]
    wide = "日期,单位名称,处置量（公斤）,贮存量,贮存标记\n2026-02-23,甲,41000,,\n"
    assert post(desk, wide.encode("gb18030"), kind="text/csv").json()["accepted"] == 1


def test_a_dry_run_leaves_no_trace(desk: House) -> None:
    sent = book(HEAD, ["2026-02-20", "甲", 1, None, None, None])
    answer = desk.post(sent, path="/v1/sheets/mw-daily?dry_run=1", kind=XLSX)
    assert answer.json()["accepted"] == 1
    assert desk.reports() == []


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (65 * 1024 * 1024))
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, 415),
        (b"PK\x03\x04 cut short", 400),
        (b"", 400),
        (b"\xff\xfe\xff", 400),
        (b'"a\nb', 400),
        (bomb(), 413),
        (b"x," * 2_000 + b"\n", 413),
    ],
)
def test_what_is_no_sheet_is_refused_as_a_whole(desk: House, body: bytes, status: int) -> None:
    answer = post(desk, body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_ten_thousand_rows_are_enough(desk: House) -> None:
    lines = ["日期,单位名称,处置量（公斤）,贮存量"] + ["2026-02-20,甲,1,"] * 10_001
    answer = post(desk, "\n".join(lines).encode(), kind="text/csv")
    assert answer.status_code == 413
    assert desk.reports() == []


def test_an_empty_body_is_named(desk: House) -> None:
    answer = post(desk, b"")
    assert answer.json()["detail"].startswith("there is nothing in this sheet")


def test_who_may_send_sheets(desk: House) -> None:
    """The same tokens as for reports; what is no template is not found."""
    sent = book(HEAD, ["2026-02-20", "甲", 1, None, None, None])
    assert post(desk, sent, token=None).status_code == 401
    assert post(desk, sent, token=OFFICER).status_code == 403
    assert post(desk, sent, "other").status_code == 404
    assert post(desk, sent, kind="application/json").status_code == 415
    assert len(SHEET_TYPES) > 1


def test_the_empty_template_can_be_filled_in(desk: House) -> None:
    """What is fetched is what is understood."""
    upstream = {"authorization": "Bearer up-" + "u" * 29}
    got = desk.ask("GET", "/v1/sheets/mw-daily", headers=upstream)
    assert got.status_code == 200
    assert got.headers["content-type"] == XLSX
    filled = load_workbook(io.BytesIO(got.content))
    filled.worksheets[0].append(["2026-02-20", "甲", 1, None, None])
    file = io.BytesIO()
    filled.save(file)
    assert post(desk, file.getvalue()).json()["accepted"] == 1
    assert desk.ask("GET", "/v1/sheets/readings", headers=upstream).status_code == 200
    assert desk.ask("GET", "/v1/sheets/none", headers=upstream).status_code == 404


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    names = facility_names(configuration().facilities)
    for sheet in (DAILY, None):
        try:
            items, places = read_sheet(body, sheet, names, ZONE)
        except Refused as refused:
            assert refused.status in (400, 413, 415)
        else:
            assert len(items) == len(places)


def test_a_damaged_workbook_is_refused() -> None:
    """One byte after the other is wrong; no exception but Refused comes out."""
    good = bytearray(book(HEAD, ["2026-02-20", "甲", 1, None, None, None]))
    names = facility_names(configuration().facilities)
    for index in range(0, len(good), 7):
        bad = bytearray(good)
        bad[index] ^= 0xFF
        try:
            read_sheet(bytes(bad), DAILY, names, ZONE)
        except Refused as refused:
            assert refused.status in (400, 413, 415)


AMENDED = msgspec.structs.replace(
    DAILY,
    columns=(
        *DAILY.columns,
        SheetColumn("更正次数", field="revision"),
        SheetColumn("撤回", field="withdrawn"),
    ),
)
AMENDED_HEAD = [*HEAD, "更正次数", "撤回"]


@pytest.fixture
def amended(house: House) -> House:
    house.serve(msgspec.structs.replace(house.configuration, sheets={"mw-daily": AMENDED}))
    return house


def test_a_sheet_corrects_and_takes_back(amended: House) -> None:
    """更正次数 says which saying it is; 撤回 takes back what is filled in, or the whole row."""
    sent = book(
        AMENDED_HEAD,
        ["2026-02-20", "甲", 41200, 3.5, None, None, None, None],
        ["2026-02-20", "甲", 4120, 3.5, None, None, 1, "否"],
        ["2026-02-21", "甲", None, 3.5, None, None, "２", "是"],
        ["2026-02-22", "甲", None, None, None, "误报", None, True],
    )
    answer = post(amended, sent)
    assert answer.json() == {"accepted": 4, "duplicates": 0, "rejected": []}
    found = [(r.revision, r.indicators, r.flags) for r in amended.reports()]
    both = ("mw.disposed_t", "mw.stored_t")
    assert found == [
        (None, both, None), (1, both, None),
        (2, both[1:], ("withdrawn",)), (None, both, ("withdrawn", "withdrawn")),
    ]  # fmt: skip


def test_an_older_sheet_without_these_columns_is_taken_as_before(amended: House) -> None:
    sent = book(HEAD, ["2026-02-20", "甲", 1, None, None, None])
    assert post(amended, sent).json()["accepted"] == 1


def test_a_wrong_revision_or_mark_is_named_by_its_cell(amended: House) -> None:
    row = ["2026-02-20", "甲", 1, None, None, None]
    sent = book(
        AMENDED_HEAD, [*row, "两次", None], [*row, -1, None], [*row, 1.5, None], [*row, 1, "也许"]
    )
    rejected = post(amended, sent).json()["rejected"]
    assert [(r["row"], r["cell"]) for r in rejected] == [
        (2, "G2"), (3, "G3"), (4, "G4"), (5, "H5"),
    ]  # fmt: skip
    assert "'也许'" in rejected[3]["detail"]


def test_a_reading_a_row_is_corrected_and_taken_back(house: House) -> None:
    """Another saying of a window is another report, also in neighbouring rows."""
    text = (
        "observed_at,facility,interval,indicator,value,revision,withdrawn\n"
        "2026-02-20,420100-mw-01,day,mw.disposed_t,41.2,,\n"
        "2026-02-20,420100-mw-01,day,mw.disposed_t,4.12,1,\n"
        "2026-02-20,420100-mw-01,day,mw.disposed_t,,2,是\n"
        "2026-02-21,420100-mw-01,day,mw.disposed_t,1,x,\n"
    )
    answer = post(house, text.encode(), "readings", kind="text/csv").json()
    assert (answer["accepted"], answer["duplicates"]) == (3, 0)
    assert [(r["row"], r["cell"]) for r in answer["rejected"]] == [(5, "F5")]
    assert [(r.revision, r.flags) for r in house.reports()] == [
        (None, None), (1, None), (2, ("withdrawn",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "said", "start"),
    [
        ("hour", "2026-03-01 24:00", "2026-03-01T23:00:00+08:00"),
        ("hour", "2026-03-01 01:00", "2026-03-01T00:00:00+08:00"),
        ("hour", "2026-03-01 01:30", "2026-03-01T01:00:00+08:00"),
        ("day", "2026年3月1日 24:00", "2026-03-01T00:00:00+08:00"),
        ("minute", "2026-03-01 08:05", "2026-03-01T08:04:00+08:00"),
    ],
)  # fmt: skip
def test_times_may_name_the_end_of_their_window(interval: Any, said: str, start: str) -> None:
    sheet = msgspec.structs.replace(DAILY, interval=interval, window_label="end")
    items, _ = read_sheet(book(HEAD, [said, "一厂", 1000, 2, "N", ""]), sheet, {"一厂": "f"}, ZONE)
    ((found, _),) = items
    assert isinstance(found, Candidate)
    assert instant_text(found.observed_us, ZONE) == start


def test_the_end_of_a_day_is_the_next_midnight_in_any_sheet() -> None:
    items, _ = read_sheet(
        book(HEAD, ["2026-02-28 24:00", "一厂", 1, 2, "N", ""], ["2026-02-30 24:00", "一厂", 1, 2, "N", ""]),
        DAILY, {"一厂": "f"}, ZONE,
    )  # fmt: skip
    (good, _), (bad, _) = items
    assert isinstance(good, Candidate)
    assert instant_text(good.observed_us, ZONE) == "2026-03-01T00:00:00+08:00"
    assert isinstance(bad, Rejection)
    assert "2026-02-30 24:00" in bad.detail
