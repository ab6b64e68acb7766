"""What a person reads while the runner works: terminal or Actions format, groups, masking, stage output.

Everything goes to one stream. The Actions runner reads standard output and standard error independently, so
a `stop-commands` on one of them could arrive after a line it should have covered on the other.
Modules log through `logging.getLogger("retrain")` and know nothing of this one.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TextIO

from runner.errors import NOWHERE, Interrupted, Location
from runner.log.mask import Mask
from runner.log.stage import StageOutput, inert
from runner.log.turns import Turns
from runner.log.whole import Whole, file_of
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rich.console import Console

__all__ = [
    "Level",
    "StageOutput",
    "annotation",
    "block",
    "escape_data",
    "escape_property",
    "file_of",
    "group",
    "masked",
    "masker",
    "printed",
    "redirect",
    "setup",
    "stage_output",
]

NAME: Final = "retrain"
# What is no character of a line; halves of characters stand for bytes that are no UTF-8.
_CONTROL: Final = regex("[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")

Level = Literal["notice", "warning", "error"]
_LEVELS: Final[dict[Level, int]] = {"notice": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_COMMANDS: Final = {logging.DEBUG: "debug", logging.INFO: "notice", logging.WARNING: "warning", logging.ERROR: "error"}


def setup(stream: TextIO, *, actions: bool, verbosity: int, secrets: Iterable[str]) -> None:
    """Send the runner's log to `stream`, replacing what an earlier call set up.

    Args:
        stream: where everything goes; standard error in every verb.
        actions: write GitHub's workflow commands instead of plain words.
        verbosity: below 0 warnings and errors only, 0 what happens, above 0 also how.
        secrets: values that must never be seen; also hidden in the usual encodings.

    """
    logger = logging.getLogger(NAME)
    for old in tuple(logger.handlers):
        logger.removeHandler(old)
    handler = _Door(stream, actions=actions, verbosity=verbosity, mask=Mask(secrets))
    logger.addHandler(handler)
    logger.setLevel(handler.lowest)
    logger.propagate = False


def redirect(console: Console | None) -> None:
    """Let log lines pass a live display, which draws itself anew below them; `None`: straight to the stream again."""
    _door().live_display(console)


def masked(text: str) -> str:
    """Give `text` with every secret of `setup` replaced, for what is posted or stored rather than logged."""
    return _door().mask(text)


def masker() -> Mask:
    """Give what `masked` masks with, for many texts."""
    return _door().mask


def printed(text: str) -> str:
    """Give foreign text as one line for standard output, which the Actions runner reads for commands too.

    No secrets; newlines and other controls are escaped as Python writes them; no workflow commands.
    """
    shown = masked(text)
    if not shown.isprintable():
        shown = _CONTROL.sub(lambda found: repr(found[0])[1:-1], shown)
    return _door().clean(shown)


def block(text: str) -> str:
    """Give several lines for standard output without secrets and workflow commands, as `printed` does for one."""
    return _door().clean(text)


def annotation(level: Level, message: str, *, where: Location = NOWHERE, title: str = "") -> None:
    """Log a message that the code host shows beside a line of a file.

    GitHub shows the first 10 of a kind and step only: the order is the caller's business.

    Args:
        level: what GitHub calls it.
        message: may have several lines; GitHub cuts it at 4,096 characters.
        where: the place in a file; without one it is about the run as a whole.
        title: a short heading.

    """
    logging.getLogger(NAME).log(_LEVELS[level], "%s", message, extra={"place": _Place(where, title)})


@contextmanager
def group(title: str) -> Iterator[None]:
    """Fold what is logged meanwhile under `title` in Actions; a heading elsewhere. Groups do not nest."""
    door = _door()
    folded = door.open_group(title)
    try:
        yield
    finally:
        if folded:
            door.command("::endgroup::\n")


@contextmanager
def stage_output(title: str = "", folder: Path | None = None) -> Iterator[StageOutput]:
    """Give a writer for the raw output of one command, which cannot issue workflow commands meanwhile.

    With a `title`, the output is a group. Of stages that run side by side one is shown at a time (`log.turns`). In
    `folder` all of it is kept, in the file that `whole.file_of` names.
    """
    door = _door()
    part = door.turns.take(title)
    log = Whole(folder / file_of(title)) if folder else None
    output = StageOutput(part.write, door.clean, live=door.live, whole=log)
    try:
        yield output
    finally:
        output.close()
        part.close()


def escape_data(text: str) -> str:
    """Escape the message of a workflow command, by GitHub's own rule."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape a property (`file`, `title`) of a workflow command, by GitHub's own rule."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an annotation is shown."""

    where: Location
    title: str

    def properties(self) -> str:
        """Render the properties of a workflow command, with a leading space where there are any."""
        line, column = (str(number or "") for number in (self.where.line, self.where.column))
        known = (("file", self.where.file), ("line", line), ("col", column), ("title", self.title))
        given = ",".join(f"{name}={escape_property(value)}" for name, value in known if value)
        return f" {given}" if given else ""

    def words(self) -> str:
        """Render for a terminal: `file:line:column: title: `."""
        return "".join(f"{part}: " for part in (str(self.where), self.title) if part)


class _Terminal(logging.Formatter):
    """`warning: file:line:column: message`; plain messages as they are."""

    def format(self, record: logging.LogRecord) -> str:
        place = getattr(record, "place", None)
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return f"{level}{place.words() if place else ''}{super().format(record)}"


class _Actions(logging.Formatter):
    """Workflow commands for what GitHub should show; everything else as lines that are no commands."""

    def __init__(self, *, debug_as_text: bool) -> None:
        """`debug_as_text` where a verbose log was asked for: GitHub hides `::debug::` by default."""
        super().__init__()
        self._debug_as_text = debug_as_text

    def format(self, record: logging.LogRecord) -> str:
        place = getattr(record, "place", None)
        message = super().format(record)
        if place is None and self._plain(record.levelno):
            return inert(message)
        command = _COMMANDS.get(record.levelno, "error")
        return f"::{command}{place.properties() if place else ''}::{escape_data(message)}"

    def _plain(self, level: int) -> bool:
        return level == logging.INFO or (level == logging.DEBUG and self._debug_as_text)


class _Door(logging.StreamHandler[TextIO]):
    """The one way out: formats, masks, and keeps workflow commands apart from stage output."""

    def __init__(self, stream: TextIO, *, actions: bool, verbosity: int, mask: Mask) -> None:
        super().__init__(stream)
        self.actions = actions
        self.mask = mask
        self.live = not actions and stream.isatty()
        # In Actions, details are sent as ::debug:: even unasked: re-running with debug logging shows them.
        quietest = logging.DEBUG if actions or verbosity > 0 else logging.INFO
        self.lowest = logging.WARNING if verbosity < 0 else quietest
        self.setFormatter(_Actions(debug_as_text=verbosity > 0) if actions else _Terminal())
        self.turns = Turns(self._begin_output, self.write, self._end_output)
        self._console: Console | None = None
        self._token = ""
        self._guard = threading.RLock()

    def live_display(self, console: Console | None) -> None:
        """See `redirect`."""
        with self._guard:
            self._console = console

    def clean(self, text: str) -> str:
        """Give `text` without secrets and, where they mean something, without workflow commands."""
        return inert(self.mask(text)) if self.actions else self.mask(text)

    def format(self, record: logging.LogRecord) -> str:
        return self.mask(super().format(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        try:
            line = self.format(record) + "\n"
        except Interrupted:  # a signal that came meanwhile is no fault of the line
            raise
        except Exception:  # noqa: BLE001  a log line that cannot be formatted must not end a training
            self.handleError(record)
            return
        if line.startswith("::"):
            self.command(line)
        else:
            self.write(line)

    def command(self, line: str) -> None:
        """Write a workflow command; where the code host is deaf to commands, it listens for this one."""
        with self._guard:
            is_deaf = self._resume_commands()
            self.write(line)
            if is_deaf:
                self._stop_commands()

    def write(self, text: str) -> None:
        """Write and flush, so that nothing is lost if the process is killed."""
        with self._guard:
            if self._console is None:
                self.stream.write(text)
                self.stream.flush()  # `self.flush` waits for the lock under which `emit` waits for us
            else:
                self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)

    def open_group(self, title: str) -> bool:
        """Start a group; False where it is a heading only, which needs no end."""
        with self._guard:
            folded = self.actions and not self._token
            heading = self.mask(title)
            self.write(f"::group::{escape_data(heading)}\n" if folded else f"{heading}\n")
        return folded

    def _begin_output(self, title: str) -> None:
        with self._guard:
            if title:
                self.open_group(title)
            self._stop_commands()

    def _end_output(self, title: str) -> None:
        with self._guard:
            self._resume_commands()
            if title and self.actions:
                self.write("::endgroup::\n")

    def _stop_commands(self) -> None:
        """Make the code host deaf to commands until it is told a word that nobody else knows."""
        if self.actions:
            self._token = os.urandom(32).hex()
            self.write(f"::stop-commands::{self._token}\n")

    def _resume_commands(self) -> bool:
        """Let the code host listen again; false where it did."""
        token, self._token = self._token, ""
        if token:
            self.write(f"::{token}::\n")
        return bool(token)


def _door() -> _Door:
    """Find what `setup` installed; a plain one on standard error where it was never called."""
    for handler in logging.getLogger(NAME).handlers:
        if isinstance(handler, _Door):
            return handler
    return _Door(sys.stderr, actions=False, verbosity=0, mask=Mask(()))
