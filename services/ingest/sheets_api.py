"""`/v1/sheets/{template}`: a filled-in sheet comes in, an empty one goes out.

The answer is that of `POST /v1/reports`; each refused item says its row and, where it is one
cell, which.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.ingest.bodies import Item, Refused
from services.ingest.reports_api import ReportsApi
from services.ingest.sheet_files import SHEET_TYPES, XLSX, workbook
from services.ingest.sheets import LONG, Place, read_sheet
from shared.http.problems import item_problem
from shared.model.configuration import Configuration
from shared.model.sheet import READINGS, Sheet, facility_names
from shared.reports.candidate import Rejection


class SheetsApi:
    """Beside the reports, whose way it uses."""

    def __init__(self, reports: ReportsApi, configuration: Configuration) -> None:
        self._reports = reports
        self._sheets, self._zone = configuration.sheets, configuration.site.zone
        self._names = facility_names(configuration.facilities)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/sheets/{template}", self.post, methods=["POST"]),
            Route("/v1/sheets/{template}", self.empty, methods=["GET"]),
        ]

    async def post(self, request: Request) -> Response:
        places: list[Place] = []

        def read(body: bytes, _media: str, request: Request) -> list[Item]:
            items, found = read_sheet(body, self._sheet(request), self._names, self._zone)
            places.extend(found)
            return items

        def describe(index: int, refused: Rejection) -> dict[str, Any]:
            where: dict[str, Any] = {"row": places[index].row}
            if (cell := places[index].cell(refused.pointer)) is not None:
                where["cell"] = cell
            return item_problem(index, refused) | where

        return await self._reports.take(request, SHEET_TYPES, read, "sheet", describe)

    async def empty(self, request: Request) -> Response:
        """The template as a workbook to fill in."""
        try:
            self._reports.principal(request, "upstream")
            sheet = self._sheet(request)
        except Refused as refused:
            return self._reports.refuse(refused)
        title = sheet.tab or sheet.title if sheet else READINGS
        headers = [c.header for c in sheet.columns if c.field != "ignore"] if sheet else list(LONG)
        name = f"{sheet.id if sheet else READINGS}.xlsx"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(workbook(headers, title), 200, disposition, XLSX)

    def _sheet(self, request: Request) -> Sheet | None:
        """None for the template that is always there."""
        name = request.path_params["template"]
        if name == READINGS:
            return None
        sheet = self._sheets.get(name)
        if sheet is None:
            raise Refused(
                404, "not-found", f"there is no template {name[:64]!r}; "
                f"{READINGS!r} is always there, others stand in sheets.yaml",
            )  # fmt: skip
        return sheet
