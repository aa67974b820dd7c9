"""Templates of sheets: what cannot become a report is found before anybody fills it in."""

import pytest

GOOD = """\
sheets:
  - id: mw-daily
    title: {zh: 医废日报}
    interval: day
    columns:
      日期: observed_at
      单位: facility_name
      处置量（公斤）: {indicator: mw.disposed_t, unit: kg}
      标记: {flag_of: mw.disposed_t}
      备注: ignore
"""


def test_a_template_says_what_each_column_is(directory):
    directory.write("sheets.yaml", GOOD)
    sheet = directory.load().sheets["mw-daily"]
    assert [(c.header, c.field, c.indicator, c.unit, c.is_flag) for c in sheet.columns] == [
        ("日期", "observed_at", None, None, False),
        ("单位", "facility_name", None, None, False),
        ("处置量（公斤）", None, "mw.disposed_t", "kg", False),
        ("标记", None, "mw.disposed_t", None, True),
        ("备注", "ignore", None, None, False),
    ]
    assert (sheet.interval, sheet.title, sheet.ignores_others) == ("day", "医废日报", False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("      日期: observed_at\n", "", "no column is observed_at; say which one holds the time"),
        ("      单位: facility_name\n", "", "say in one way whose the rows are: a column facility or facility_name, or facility"),
        ("    interval: day\n", "    interval: day\n    facility: 430100-mw-07\n", "say in one way whose the rows are: a column facility or facility_name, or facility"),
        ("mw.disposed_t, unit: kg", "mw.nothing", "indicator 'mw.nothing' is not known; use a code of HJ 212 or a name"),
        ("unit: kg", "unit: mg/L", "unit 'mg/L' cannot become 't'; give its kind"),
        ("flag_of: mw.disposed_t", "flag_of: mw.stored_t", "no column holds 'mw.stored_t'; a flag belongs to one"),
        ("      备注: ignore\n", "      处置量(公斤): ignore\n", "column '处置量(公斤)' stands there already; keep one"),
        ("备注: ignore", "备注: observed_at", "two columns are observed_at; keep one"),
        ("id: mw-daily", "id: readings", "'readings' is the template that is always there; give another id"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_work_is_an_error_at_its_line(directory, old, new, said):
    assert old in GOOD
    directory.write("sheets.yaml", GOOD.replace(old, new))
    found = directory.errors()
    assert any(line.startswith("sheets.yaml:") and line.endswith(said) for line in found), found


def test_a_meaning_that_is_none_is_an_error(directory):
    directory.write("sheets.yaml", GOOD.replace("备注: ignore", "备注: remark"))
    (said,) = directory.errors()
    assert said.startswith("sheets.yaml:10: ") and "column is 'remark'" in said, said
