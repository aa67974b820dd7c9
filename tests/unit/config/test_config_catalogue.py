"""The catalogue: what codes mean without configuration, in the units of the contract."""

import pytest

from shared.config.catalogue import codes_of_2005, shipped
from shared.config.places import convertible

MW = "capacity standby generated collected disposed stored epidemic carry_over backlog"


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("w01018", "mg/L"), ("w21003", "mg/L"), ("w01001", "1"), ("w00000", "L/s"),
        ("a21026", "mg/m³"), ("a21004", "mg/m³"), ("a21005", "mg/m³"), ("a05024", "µg/m³"),
        ("a34004", "µg/m³"), ("a34002", "µg/m³"), ("a34001", "µg/m³"),
        *((f"mw.{name}_t", "t") for name in MW.split()),
    ],
)  # fmt: skip
def test_an_indicator_has_the_unit_that_platforms_use(code, unit):
    """A report without a unit is taken in this one."""
    assert shipped()[code].unit == unit


def test_residual_chlorine_is_named_by_who_measures_it():
    """No standard gives it a code."""
    assert "residual_chlorine" not in shipped()
    assert "w19011" not in shipped()


def test_codes_of_2005_lead_to_known_ones():
    """Field devices still send them."""
    old = codes_of_2005()
    assert (old["011"], old["060"], old["001"]) == ("w01018", "w21003", "w01001")
    assert set(old.values()) <= set(shipped())


def test_every_name_and_unit_is_written_once_and_clean():
    """One spelling of micro, litre and cube."""
    for code, indicator in shipped().items():
        assert indicator.code == code == code.strip()
        assert indicator.zh.strip()
        assert indicator.unit == indicator.unit.strip()
        assert convertible(indicator.unit, indicator.unit)
        assert not set(indicator.unit) & set("μ ")
        assert "m3" not in indicator.unit
