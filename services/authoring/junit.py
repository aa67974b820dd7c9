"""JUnit: results of cases as the XML that build servers show."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from services.authoring.trial import Result

_FORBIDDEN = {code: "�" for code in range(32) if chr(code) not in "\t\n\r"}
"""XML 1.0 knows no other control characters."""


def write_junit(path: Path, results: Sequence[tuple[Path, Sequence[Result], str | None]]) -> None:
    """One suite per file; a file that cannot be read is one error."""
    root = Element("testsuites")
    for file, cases, broken in results:
        failed = sum(bool(result.failures) for result in cases)
        suite = SubElement(
            root, "testsuite", name=_clean(str(file)), tests=str(len(cases) or 1),
            failures=str(failed), errors=str(int(broken is not None)), skipped="0",
        )  # fmt: skip
        if broken is not None:
            case = SubElement(suite, "testcase", classname=_clean(str(file)), name="file")
            SubElement(case, "error", message="cannot be read").text = _clean(broken)
        for result in cases:
            case = SubElement(
                suite, "testcase", classname=_clean(file.stem), name=_clean(result.case.name),
                file=_clean(str(file)), line=str(result.case.line),
            )  # fmt: skip
            if result.failures:
                first = result.failures[0].partition("\n")[0]
                failure = SubElement(case, "failure", message=_clean(first))
                failure.text = _clean("\n".join(result.failures))
    indent(root)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _clean(text: str) -> str:
    return text.translate(_FORBIDDEN)
