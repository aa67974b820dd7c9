"""The catalogue: HJ 212 codes and medical-waste indicators with name and unit.

Codes, names, default units and 2005 codes are facts of HJ 212-2017 appendix B, with the units
spelled as contract §3 spells them. Exceptions: PM10, PM2.5 and TSP are in µg/m³ (the appendix
prints ng/m³; GB 3095 and every platform use µg/m³); ozone a05024, turbidity w01003,
chlorophyll w01016 and biological toxicity w01023 are not in it and follow HJ 524 / HJ 525 usage.
"""

import csv
from functools import cache
from pathlib import Path

from shared.model.configuration import Indicator

_CSV = Path(__file__).parent / "catalogue.csv"


@cache
def _rows() -> list[dict[str, str]]:
    with _CSV.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shipped() -> dict[str, Indicator]:
    """Every indicator that is known without configuration, by code."""
    return {row["code"]: Indicator(row["code"], row["zh"], row["unit"]) for row in _rows()}


def codes_of_2005() -> dict[str, str]:
    """HJ/T 212-2005 codes and what they became in 2017; field devices still send them."""
    return {row["code_2005"]: row["code"] for row in _rows() if row["code_2005"]}
