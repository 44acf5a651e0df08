"""What every test run needs: hypothesis profiles, and a loud line for what did not run."""

from __future__ import annotations

import os

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings

# Without a deadline: how long an example takes says more of the machine than of the code.
settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say in one line, last and loud, what was not tested."""
    live = compiled = 0
    for report in terminalreporter.getreports("skipped"):
        words = getattr(report, "keywords", ())
        live += "live" in words or report.nodeid.startswith("tests/live/")
        compiled += "compiled" in words
    for count, package in ((live, "dovecot-imapd"), (compiled, "gcc")):
        if count:
            kind = "live tests" if package == "dovecot-imapd" else "tests of a failing disk"
            terminalreporter.write_line(
                f"NOT TESTED: {count} {kind} were skipped, because Debian's {package} is not installed here "
                "(`make test` installs it when run as root or with passwordless sudo)",
                red=True,
                bold=True,
            )


@pytest.fixture(scope="session")
def corpus_root() -> str | None:
    """The folder of real mail to try things on, if this machine has one (ARCHIVER_CORPUS); tests pass without."""
    return os.environ.get("ARCHIVER_CORPUS") or None
