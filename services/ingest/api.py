"""The routes of ingest: reports, events, sheets, dead letters."""

from starlette.routing import Route

from services.ingest.port import Submission
from services.ingest.reports_api import ReportsApi
from services.ingest.sheets_api import SheetsApi
from shared.access import Gate
from shared.log.port import Log
from shared.model.configuration import Configuration
from shared.observe.metrics import Metrics


def routes(
    submission: Submission, gate: Gate, configuration: Configuration, log: Log, metrics: Metrics
) -> list[Route]:
    reports = ReportsApi(submission, gate, configuration.site.zone, log, metrics)
    return [*reports.routes(), *SheetsApi(reports, configuration).routes()]
