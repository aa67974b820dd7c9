"""Run cases: `yujing rules test FILE…`; 0 when all pass, 1 when one fails, 2 when a file is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from services.authoring.absent import with_stand_ins
from services.authoring.case_file import CasesWrong, load_cases
from services.authoring.junit import write_junit
from services.authoring.trial import Result, run_case

EXIT_FAILED, EXIT_CONFIG = 1, 2


def run(
    files: Sequence[Path],
    junit: Path | None,
    environ: Mapping[str, str],
    out: IO[str],
    err: IO[str],
) -> int:
    """Run every case of every file and say how each ended; files that are wrong go to `err`."""
    suites: list[tuple[Path, list[Result], str | None]] = []
    passed = failed = 0
    for file in files:
        try:
            configuration, cases = load_cases(file, with_stand_ins(environ))
        except CasesWrong as error:
            print(error, file=err)
            suites.append((file, [], str(error)))
            continue
        results = [run_case(case, configuration) for case in cases]
        suites.append((file, results, None))
        for result in results:
            passed, failed = passed + (not result.failures), failed + bool(result.failures)
            print(f"{'FAIL' if result.failures else 'ok  '} {file}: {result.case.name}", file=out)
            for failure in result.failures:
                print(failure, file=out)
    if junit is not None:
        write_junit(junit, suites)
    print(f"{passed} passed, {failed} failed", file=out)
    if any(broken is not None for _, _, broken in suites):
        return EXIT_CONFIG
    return EXIT_FAILED if failed else 0
