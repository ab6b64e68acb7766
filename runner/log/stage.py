"""Passes a command's output on: line by line, in constant memory, without letting it issue workflow commands."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final

from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.log.whole import Whole

TAIL_LINES: Final = 40
"""Lines of the output kept for the report."""
TAIL_WIDTH: Final = 500
"""Characters kept of each of them."""
SHOWN: Final = 8 << 20
"""Characters of a command's output that are shown as they come; of what follows, the last lines."""
LINE_LIMIT: Final = 16_384
"""Characters shown of one line; the rest of such a line is left out."""

# Long enough that what is shown of an endless line was masked together with what follows it.
_PATIENCE: Final = 8 * LINE_LIMIT
_LINE_END: Final = regex(rb"[\r\n]")
# The Actions runner trims white space before it looks for "::".
_COMMAND: Final = regex(r"^([^\S\n]*)::", re.MULTILINE)


def inert(text: str) -> str:
    """Give `text` so that no line of it is a workflow command: `::` at a line's start, `##[` anywhere.

    A carriage return becomes a newline: the Actions runner ends lines at either.
    """
    text = text.replace("\r", "\n").replace("##[", "##\\[")
    return _COMMAND.sub(r"\1\\::", text) if "::" in text else text


class StageOutput:
    """Writes what a command prints, and remembers how it ended.

    Each line is masked and kept intact. Bytes that are no UTF-8 are replaced. A line longer than `LINE_LIMIT` is cut,
    and the output after `SHOWN`, but for its end. What a progress bar overwrites by carriage returns is left out unless
    somebody watches a terminal (`live`), who is shown everything.
    """

    def __init__(
        self, write: Callable[[str], None], clean: Callable[[str], str], *, live: bool, whole: Whole | None = None
    ) -> None:
        """Write through `write` what `clean` made harmless: no secrets, no commands; into `whole` all of it."""
        self._write = write
        self._clean = clean
        self._live = live
        self._whole = whole
        self._shown = 0
        self._left_out = 0
        self._pending = bytearray()
        self._skipping = False
        self._unfinished = ""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines of the output, cleaned and capped, oldest first."""
        return tuple(self._tail)

    def __call__(self, chunk: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        self._pending += chunk
        end = self._pending.rfind(b"\n") + 1
        if self._live:
            end = max(end, self._pending.rfind(b"\r") + 1)
        if end:
            self._emit(bytes(self._pending[:end]))
            del self._pending[:end]
        self._bound()

    def close(self) -> None:
        """Write what has no newline yet, and give it one."""
        if self._pending or self._unfinished:
            self._emit(bytes(self._pending) + b"\n")
            self._pending.clear()
        if self._left_out:
            where = f"; all of it is in {self._whole.place}" if self._whole else ""
            left = f"[{self._left_out:,} characters are left out{where}; the last lines:]"
            self._write("".join(f"{line}\n" for line in (left, *self._tail)))
        if self._whole:
            self._whole.close()

    def _bound(self) -> None:
        """Keep little of a line that does not end."""
        overwritten = -1 if self._live else self._pending.rfind(b"\r", 0, -1)
        del self._pending[: overwritten + 1]
        if len(self._pending) > _PATIENCE:
            if not self._skipping:
                self._show(self._clean(self._text(bytes(self._pending))) + "\n")
            self._keep_part_of_line()
            self._skipping = True

    def _keep_part_of_line(self) -> None:
        """Put most of an endless line into the whole log, cut between two words: a secret is seen in one piece."""
        words = self._pending.rfind(b" ", len(self._pending) // 2) + 1 or len(self._pending)
        if self._whole:
            self._whole.write(self._clean(self._text(bytes(self._pending[:words]))))
        del self._pending[:words]

    def _emit(self, lines: bytes) -> None:
        """Write whole lines, without the rest of one that was cut before."""
        text = self._text(lines)
        cleaned = self._clean(_settled(text))
        if self._whole:
            self._whole.write(cleaned)
        if self._skipping:
            end = _LINE_END.search(lines)
            text = self._text(lines[end.end() :]) if end else ""
            cleaned = self._clean(_settled(text))
            self._skipping = False
        self._show(self._clean(text) if self._live else cleaned)

    def _text(self, raw: bytes) -> str:
        return raw.decode("utf-8", "replace").replace("\r\n", "\n")

    def _show(self, cleaned: str) -> None:
        """Show text, if there is not too much of it already, and remember its end."""
        if self._shown > SHOWN and not self._live:
            self._left_out += len(cleaned)
            self._remember(_last_lines(cleaned))
            return
        lines = cleaned.split("\n")
        self._remember(lines)
        capped = "\n".join(map(_capped, lines))
        self._shown += len(capped)
        self._write(capped)

    def _remember(self, shown: list[str]) -> None:
        """Keep the last lines as a terminal would show them in the end; the last of `shown` goes on."""
        *lines, unfinished = [self._unfinished + shown[0], *shown[1:]]
        self._unfinished = unfinished[-TAIL_WIDTH:]
        self._tail.extend(_settled(line)[:TAIL_WIDTH] for line in lines[-TAIL_LINES:])


def _last_lines(text: str) -> list[str]:
    """Give the lines that are remembered of much text; where some are left out, the first is one of those."""
    return text.rsplit("\n", TAIL_LINES + 1)


def _settled(text: str) -> str:
    """Give what a terminal shows in the end where lines were overwritten by carriage returns."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def _capped(line: str) -> str:
    return line if len(line) <= LINE_LIMIT else f"{line[:LINE_LIMIT]} [line cut]"
