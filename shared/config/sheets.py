"""Templates of sheets: every column leads somewhere, and a row can become a report."""

from collections.abc import Container

from shared.config.assembly import Assembly, Item
from shared.config.places import convertible
from shared.config.schema.sheets import SheetIndicatorModel, SheetModel
from shared.model.sheet import READINGS, Sheet, SheetColumn, SheetField, plain

_ONCE: tuple[SheetField, ...] = (
    "observed_at",
    "facility",
    "facility_name",
    "station",
    "id",
    "revision",
    "withdrawn",
)


def sheets(a: Assembly, facilities: Container[str]) -> dict[str, Sheet]:
    """Every template by id."""
    built = {}
    for code, item in a.unique("sheet", a.items("sheets")).items():
        model: SheetModel = item.model
        if code == READINGS:
            a.fail(
                item, f"{READINGS!r} is the template that is always there; give another id", "id"
            )
        columns = tuple(_columns(a, item))
        _complete(a, item, columns)
        if model.facility is not None:
            a.known(item, "facility", model.facility, facilities, "facility")
        built[code] = Sheet(
            id=code,
            title=(model.title.zh or code) if model.title else code,
            tab=model.tab,
            interval=model.interval,
            facility=model.facility,
            columns=columns,
            ignores_others=model.others == "ignore",
            window_label=model.window_label,
        )
    return built


def _columns(a: Assembly, item: Item) -> list[SheetColumn]:
    model: SheetModel = item.model
    built, headers = [], set[str]()
    values = {
        c.indicator for c in model.columns.values() if isinstance(c, SheetIndicatorModel)
    }  # fmt: skip
    for header, meant in model.columns.items():
        if plain(header) in headers:
            a.fail(item, f"column {header!r} stands there already; keep one", "columns", header)
        headers.add(plain(header))
        if isinstance(meant, str):
            built.append(SheetColumn(header, field=meant))
        elif isinstance(meant, SheetIndicatorModel):
            known = a.indicators.get(meant.indicator)
            if known is None:
                text = f"indicator {meant.indicator!r} is not known; use a code of HJ 212 or a name"
                a.fail(item, text, "columns", header)
            elif meant.unit is not None and not convertible(meant.unit, known.unit):
                text = f"unit {meant.unit!r} cannot become {known.unit!r}; give its kind"
                a.fail(item, text, "columns", header)
            built.append(SheetColumn(header, indicator=meant.indicator, unit=meant.unit))
        else:
            if meant.flag_of not in values:
                text = f"no column holds {meant.flag_of!r}; a flag belongs to one"
                a.fail(item, text, "columns", header)
            built.append(SheetColumn(header, indicator=meant.flag_of, is_flag=True))
    return built


def _complete(a: Assembly, item: Item, columns: tuple[SheetColumn, ...]) -> None:
    fields = [column.field for column in columns]
    for one in _ONCE:
        if fields.count(one) > 1:
            a.fail(item, f"two columns are {one}; keep one", "columns")
    if "observed_at" not in fields:
        a.fail(item, "no column is observed_at; say which one holds the time", "columns")
    ways = fields.count("facility") + fields.count("facility_name")
    if ways + (item.model.facility is not None) != 1:
        text = "say in one way whose the rows are: a column facility or facility_name, or facility"
        a.fail(item, text, "columns")
    values = [c.indicator for c in columns if c.indicator and not c.is_flag]
    if not values:
        a.fail(item, "no column holds an indicator; add one", "columns")
    for code in values:
        if values.count(code) > 1:
            a.fail(item, f"two columns hold {code}; keep one", "columns")
            break
