"""What `check` says of a facility that a pack passes over for want of an attribute."""

import pytest


def warned(directory) -> list[str]:
    return [text for text in directory.warnings() if "judges less" in text]


def outlet(directory, kind: str, attributes: str, pack: str, point: str | None = None) -> None:
    directory.write("rules.yaml", f"packs: [{pack}]\n")
    directory.write(
        "facilities.yaml",
        f"facilities:\n  - {{id: one, name: 一, territory: '430105', kind: {kind}, attributes: {attributes}}}\n"
        + f"stations:\n  - {{id: one-a, facility: one{f', point: {point}' if point else ''}}}\n",
    )


@pytest.mark.parametrize(
    ("kind", "attributes", "pack", "point", "keys"),
    [
        ("air_station", "{}", "gb3095-2026", None, "air_class"),
        ("sewage_plant", "{class: 1A}", "gb18918-2002", None, "built"),
        ("sewage_plant", "{}", "gb18918-2002", None, "built and class"),
        ("surface_water", "{class: III}", "gb3838-2002", None, "body"),
        ("water_source", "{}", "gb5749-2022", "plant_outlet", "disinfectant"),
        ("hospital_wastewater", "{hospital: general}", "gb18466-2005", None, "discharge"),
    ],
)
def test_a_missing_attribute_is_named(directory, kind, attributes, pack, point, keys) -> None:
    """A limit that is silently not judged looks like a limit that is kept."""
    outlet(directory, kind, attributes, pack, point)
    (warning,) = warned(directory)
    assert warning.startswith("facilities.yaml:2: ")
    assert f"pack {pack} judges less here: it asks for the attributes {keys};" in warning


@pytest.mark.parametrize(
    ("kind", "attributes", "pack", "point"),
    [
        ("air_station", "{air_class: 2}", "gb3095-2026", None),
        ("hospital_wastewater", "{hospital: infectious}", "gb18466-2005", "contact_tank"),
        ("incinerator", "{waste: medical}", "gb18484-2020", None),
        ("water_source", "{}", "gb5749-2022", None),
        ("medical_waste", "{}", "mw-flow", None),
    ],
)
def test_what_the_pack_is_not_about_is_not_warned_of(
    directory, kind, attributes, pack, point
) -> None:
    """Another waste, another point, a pack that asks for nothing."""
    outlet(directory, kind, attributes, pack, point)
    assert warned(directory) == []


def test_outlets_that_are_alike_are_one_warning(directory) -> None:
    """Fifty thousand lines of the same would hide the others."""
    directory.write("rules.yaml", "packs: [gb3095-2026]\n")
    lines = [
        f"  - {{id: air-{n}, name: 站, territory: '430105', kind: air_station}}" for n in range(9)
    ]
    directory.write("facilities.yaml", "facilities:\n" + "\n".join(lines) + "\n")
    (warning,) = warned(directory)
    assert "(and 8 stations like it)" in warning
