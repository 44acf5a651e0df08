"""Bars say how far the work is, on a terminal only, and never hide a prompt."""

from __future__ import annotations

import pytest

from archiver.cli.progress import Watch
from archiver.cli.terminal import Terminal
from archiver.core.progress import Progress
from tests.cli.harness import Screen


def watched(*, tty: bool, environ: dict[str, str] | None = None) -> tuple[Watch, Screen]:
    err = Screen(tty=tty)
    terminal = Terminal(Screen(tty=tty), err, environ=environ or {"NO_COLOR": "1"}, columns=80)
    # A clock that stands still: nothing is ever due to be drawn again.
    return Watch(terminal, monotonic=lambda: 0.0), err


def text_of(screen: Screen) -> str:
    return screen.kept.getvalue().decode()


def test_the_last_word_is_where_the_work_ended(capsys: pytest.CaptureFixture[str]) -> None:
    watch, err = watched(tty=True)
    with watch:
        for done in (1, 2, 700):
            watch.tell(Progress("ingest", None, None, done, None, done * 1_000))
    assert "700/700" in text_of(err)
    assert capsys.readouterr().out == ""


def test_work_that_failed_is_not_shown_as_finished() -> None:
    watch, err = watched(tty=True)

    def work() -> None:
        with watch:
            watch.tell(Progress("ingest", None, None, 3, None))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work()
    assert "3/3" not in text_of(err)


def test_a_pipe_gets_no_bars() -> None:
    watch, err = watched(tty=False)
    with watch:
        watch.tell(Progress("collect", "info", "INBOX", 3, 10))
    assert text_of(err) == ""


def test_names_of_mailboxes_steer_nothing() -> None:
    watch, err = watched(tty=True)
    with watch:
        watch.tell(Progress("collect", "info", "[red]\x1b]0;owned\x07", 10, 10))
    assert "[red]\\x1b]0;owned\\x07" in text_of(err)
    assert "\x1b]0" not in text_of(err)


def test_a_prompt_is_asked_with_the_bars_out_of_the_way() -> None:
    watch, err = watched(tty=True)
    shown: list[str] = []

    def ask() -> str:
        shown.append(text_of(err))
        return "answer"

    with watch:
        watch.tell(Progress("collect", "info", "INBOX", 3, 10))
        assert watch.pausing(ask)() == "answer"
    # Stopped bars give the cursor back.
    assert shown[0].endswith("\x1b[?25h")


def test_many_finished_mailboxes_leave_room_for_the_working_ones() -> None:
    watch, err = watched(tty=True)
    with watch:
        for number in range(30):
            watch.tell(Progress("collect", "info", f"box-{number}", 5, 5))
        err.kept.seek(0)
        err.kept.truncate()
    last = text_of(err)
    assert "box-29" in last
    assert "box-3 " not in last
