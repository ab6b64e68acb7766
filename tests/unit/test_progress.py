"""Progress: a live line on a real terminal, plain lines elsewhere, and nothing of it where nobody wants it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from runner import log, progress
from runner.progress import Progress, line, summary
from runner.store.meter import Tally, Work
from tests.support.pipelines import workshop
from tests.support.terminal import on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
RETRAIN = (sys.executable, "-I", "-m", "runner")

WORKING = """\
import logging, sys, time
from runner import log
from runner.progress import Progress
from runner.store.meter import Tally, Work
log.setup(sys.stderr, actions=False, verbosity=0, secrets=())
terminal = sys.stderr if sys.stderr.isatty() else None
if terminal:  # before the clock runs: loading it may take longer than all of this
    import rich.console, rich.progress
tally = Tally()
with Progress(terminal, every=0.02).watch(Work("fetch", tally.counts, 4, lambda: 4000)):
    for number in range(4):
        tally.report(1000)
        time.sleep(0.15)
        tally.objects += 1
        if number == 1:
            logging.getLogger("retrain").warning("something is odd")
print("rich" in sys.modules)
"""


@pytest.mark.slow
def test_a_terminal_shows_a_line_that_lives_and_is_gone_when_all_is_done(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    shown = on_terminal([sys.executable, "-c", WORKING], tmp_path, environ)
    assert re.search(r"fetch: \d of 4 objects, [1-4](\.\d+)? kB of 4 kB, \S+ kB/s, \S+ s left", shown.text)
    assert "warning: something is odd\r\n" in shown.text
    last = shown.text.rpartition("\x1b[2K")[2]
    assert last.endswith("True\r\n")
    assert "fetch" not in last


@pytest.mark.slow
def test_a_log_gets_plain_lines_and_rich_is_not_loaded(tmp_path: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKING], capture_output=True, text=True, cwd=tmp_path, env=environ, check=True
    )
    assert done.stdout == "False\n"
    assert not CONTROL.search(done.stderr)
    lines = done.stderr.splitlines()
    assert "warning: something is odd" in lines
    assert any(re.fullmatch(r"fetch: \d of 4 objects, \S+ kB of 4 kB, \S+ kB/s, \S+ s left", text) for text in lines)


def test_a_line_comes_at_least_every_half_minute() -> None:
    assert progress.EVERY <= 30


@pytest.mark.parametrize(
    ("objects", "size", "text", "part"),
    [
        (0, 0, "push: 0 of 10,000 objects, 0 B, 0/s", 0.0),
        (2500, 10_000, "push: 2,500 of 10,000 objects, 10 kB, 1 kB/s, 30.0 s left", 0.25),
        (2500, 0, "push: 2,500 of 10,000 objects, 0 B, 250/s, 30.0 s left", 0.25),
    ],
)
def test_time_left_is_that_of_the_objects_where_bytes_are_not_known(
    objects: int, size: int, text: str, part: float
) -> None:
    assert line(Work("push", lambda: (objects, size), 10_000), 10.0) == (text, part)


def test_time_left_is_that_of_the_bytes_where_they_are_known() -> None:
    work = Work("hash", lambda: (0, 25_000_000_000), 1, lambda: 100_000_000_000)
    assert line(work, 50.0) == ("hash: 0 of 1 object, 25 GB of 100 GB, 500 MB/s, 2 min 30 s left", 0.25)


def test_time_left_is_that_of_the_objects_where_none_of_the_known_bytes_move() -> None:
    work = Work("checkout", lambda: (2, 0), 8, lambda: 4000)
    assert line(work, 10.0) == ("checkout: 2 of 8 objects, 0 B of 4 kB, 0/s, 30.0 s left", 0.25)


def test_an_operation_that_ends_as_it_is_first_drawn_leaves_nothing_on_the_terminal() -> None:
    terminal, drawing = io.StringIO(), threading.Event()

    def done() -> tuple[int, int]:
        drawing.set()
        time.sleep(0.1)  # the operation ends meanwhile
        return 1, 1000

    with Progress(terminal, every=0.001).watch(Work("fetch", done, 4)):
        assert drawing.wait(30)
    ended = terminal.getvalue()
    time.sleep(0.2)
    assert terminal.getvalue() == ended
    assert ended.count("\x1b[?25l") == ended.count("\x1b[?25h")  # the cursor is hidden, and shown again


def test_an_operation_that_took_long_is_summed_up_and_a_short_one_is_not() -> None:
    told = io.StringIO()
    log.setup(told, actions=False, verbosity=0, secrets=())
    moments = [0.0, 0.5, 10.0, 14.0]
    tally = Tally()
    shows = Progress(None, clock=lambda: moments.pop(0) if moments else 14.0)
    for _ in range(2):
        with shows.watch(Work("verify", tally.counts, 2)):
            tally.report(4_000_000)
            tally.objects += 1
    assert told.getvalue().splitlines() == ["verify: 2 objects, 8 MB in 4.0 s, 2 MB/s"]
    assert summary(Work("remove", lambda: (20, 0), 20), 2.0) == "remove: 20 objects, 0 B in 2.0 s, 10/s"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Give a project with a large file that takes a second to hash."""
    shop = workshop(tmp_path, "")
    shop.put({"data.dvc": f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: data\n"})
    with (shop.root / "data").open("wb") as file:
        file.truncate(1 << 30)
    return shop.root


@pytest.mark.slow
def test_a_verb_shows_on_a_terminal_how_far_it_has_hashed(large: Path, environ: dict[str, str]) -> None:
    shown = on_terminal([*RETRAIN, "status"], large, environ)
    assert re.search(r"hash: 0 of 1 object, \S+ \wB of 1.07 GB, \S+ \wB/s, \S+ s left", shown.text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "environ"), [(("-q",), {}), ((), {"TERM": "dumb"}), ((), {"GITHUB_ACTIONS": "true"})]
)
def test_a_terminal_that_is_none_or_a_call_that_wants_less_shows_no_live_line(
    flags: tuple[str, ...], environ: dict[str, str], large: Path, session_environment: dict[str, str]
) -> None:
    shown = on_terminal([*RETRAIN, "status", *flags], large, session_environment, terminal=environ)
    assert "\x1b" not in shown.text


@pytest.mark.slow
def test_a_log_of_a_verb_holds_a_summary_and_no_control_characters(large: Path, retrain: Program) -> None:
    done = retrain("status", cwd=large)
    assert re.search(r"^hash: 1 object, 1.07 GB in \S+ s, \S+ \wB/s$", done.stderr, re.MULTILINE)
    assert not CONTROL.search(done.stderr + done.stdout)
