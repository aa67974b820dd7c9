"""Sheet files: the bytes of a CSV or an .xlsx become rows of cells, bounded on the way.

A workbook is read as a stream of rows with the values that were last computed; what it says it
unpacks to is bounded before anything is unpacked. CSV is UTF-8, else GB18030, as Chinese Excel
writes it.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time

from openpyxl import Workbook, load_workbook

from services.ingest.bodies import Refused

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_TYPES = ("text/csv", XLSX, "application/octet-stream", "application/vnd.ms-excel")
MOST_UNPACKED = 64 * 1024 * 1024
MOST_PARTS = 1_000
MOST_COLUMNS = 1_000
LAST_ROW = 1_048_576
"""Of Excel itself; nothing below it is read."""
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
Cell = str | float | int | bool | datetime | date | time | None
Row = tuple[int, list[Cell]]
"""Its number as the sheet shows it, from 1, and its cells."""


def rows_of(body: bytes, tab: str | None) -> Iterator[Row]:
    """Every row that is not empty.

    Raises:
        Refused: 400 for what is neither CSV nor a workbook, 413 for too much, 415 for .xls.

    """
    if body.startswith(_OLD_EXCEL):
        raise Refused(415, "bad-field", "this is an .xls of old Excel; save it as .xlsx or CSV")
    if body.startswith(b"PK\x03\x04"):
        yield from _workbook(body, tab)
    else:
        yield from _csv(body)


def _workbook(body: bytes, tab: str | None) -> Iterator[Row]:
    # What openpyxl leaves out (validations, pictures) is none of ours, nor of the log's.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise Refused(
                    413, "too-large", f"the workbook unpacks to over {MOST_UNPACKED} bytes; "
                    "nothing was taken; send it in parts",
                )  # fmt: skip
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
    except Refused:
        raise
    except Exception as error:  # of a library, on bytes of anybody
        raise Refused(400, "bad-field", f"not a workbook: {str(error)[:200]}") from error
    try:
        if tab is not None and tab not in book.sheetnames:
            names = ", ".join(book.sheetnames[:20])
            raise Refused(400, "bad-field", f"the workbook has no tab {tab!r}; it has {names}")
        sheet = book[tab] if tab is not None else book.worksheets[0]
        rows = sheet.iter_rows(max_col=MOST_COLUMNS, max_row=LAST_ROW, values_only=True)
        for number, row in enumerate(rows, 1):
            cells = [_known(cell) for cell in row]
            while cells and _is_empty(cells[-1]):
                cells.pop()
            if cells:
                yield number, cells
    except Refused:
        raise
    except Exception as error:
        raise Refused(400, "bad-field", f"the workbook is damaged: {str(error)[:200]}") from error
    finally:
        book.close()


def _csv(body: bytes) -> Iterator[Row]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode("gb18030")
        except UnicodeDecodeError as error:
            detail = f"neither a workbook nor CSV in UTF-8 or GB18030: {error.reason}"
            raise Refused(400, "bad-field", detail) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begin = 1
    try:
        for cells in reader:
            if len(cells) > MOST_COLUMNS:
                raise Refused(413, "too-large", f"line {begin} has over {MOST_COLUMNS} columns")
            if any(cell.strip() for cell in cells):
                yield begin, list(cells)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise Refused(400, "bad-field", f"line {begin} is not CSV: {error}") from error


def _known(cell: object) -> Cell:
    """What a person typed or a formula gave; anything else is shown as text."""
    return cell if cell is None or isinstance(cell, Cell) else str(cell)


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def workbook(headers: list[str], title: str) -> bytes:
    """An empty sheet to fill in: nothing but its headers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.append(headers)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
