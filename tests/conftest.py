"""What every test run needs: hypothesis profiles, and a loud line for what did not run.

Of three profiles HYPOTHESIS_PROFILE chooses one: `default` tries other examples in each run, `gate` the same ones each
time (`.ci/run`), `hunt` many times as many as the tests ask for (`make hunt`).
"""

from __future__ import annotations

import os

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
TIMES = int(os.environ.get("ARCHIVER_HUNT", "1"))
"""How many times the examples that a test asks for `hunt` tries."""
_MINE = "_hypothesis_internal_use_settings"
"""Where hypothesis keeps the settings of a test; there is no other way to ask for more examples than a test does."""

# Without a deadline: how long an example takes says more of the machine than of the code.
settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", parent=settings.get_profile("default"), derandomize=True, database=None)
settings.register_profile("hunt", parent=settings.get_profile("default"), print_blob=True)
settings.load_profile(PROFILE)
if PROFILE == "gate":
    # Hypothesis also draws the constants that stand in the modules loaded so far: another commit, or another order of
    # the tests before, would give other examples. There is no setting for it.
    assert hasattr(providers, "is_local_module_file")
    setattr(providers, "is_local_module_file", lambda _: False)  # noqa: B010 - it is typed as what it is now


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a hunt be many times as long as the tests say."""
    if PROFILE != "hunt":
        return
    functions = [function for function in {_function(item) for item in items} if hasattr(function, _MINE)]
    if not functions:
        raise pytest.UsageError("no property test was chosen, or hypothesis keeps its settings elsewhere now")
    for function in functions:
        asked: settings = getattr(function, _MINE)
        setattr(function, _MINE, settings(parent=asked, max_examples=asked.max_examples * TIMES))


def _function(item: pytest.Item) -> object:
    test = getattr(item, "obj", None)
    return getattr(test, "__func__", test)


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
