"""The one escaper of foreign text: nothing from a repository changes the shape of a Markdown report.

Foreign is whatever we did not write ourselves: names, paths, values, branches, messages, log lines. It comes out
as a code span, as prose, or as a fenced block; never as a link, an image, a mention, a reference or HTML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NAME = 200
LONGEST_PROSE = 600
LONGEST_LINE = 300

# Zero width: breaks what GitHub turns into a link or a notification, and changes nothing to the eye.
_BREAK = "\u200b"
_ANSI = regex(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_BLANK = regex("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")
_HALF = regex("[\ud800-\udfff]")
# Controls, and what is invisible or turns the direction of writing round. Written out rather than asked of the
# Unicode database, whose answer depends on the version of Python.
_UNSEEN = regex(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_COMMENT = regex(r"<(?=!--)")
_TICKS = regex(r"`+")
_SPECIAL = regex(r"[\\`*_\[\]<>&~|!$]")
_LINKED = regex(r"(?<=[@#])|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE)
_BLOCK_START = regex(r"\A(\d*)([-+=.)])(?![\d.])")


def whole(text: str) -> str:
    """Give `text` without halves of characters, which stand for a file name's undecodable bytes."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Give `text` on one line, without controls and invisible characters, cut to `longest` characters."""
    if not (text.isascii() and text.isprintable()):
        text = _ANSI.sub("", text[: 8 * longest])
        text = _UNSEEN.sub("", _BLANK.sub(" ", whole(text)))
    text = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return _COMMENT.sub(f"<{_BREAK}", text)


def code(text: str, longest: int = LONGEST_NAME) -> str:
    """Give `text` as a code span, for use outside of tables."""
    inside = clean(text, longest)
    if not inside.strip():
        return "(empty)" if not inside else "(blank)"
    fence = "`" * (_longest_run(inside) + 1)
    pad = " " if inside[0] in "` " or inside[-1] in "` " else ""
    return f"{fence}{pad}{inside}{pad}{fence}"


def cell(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Give `text` as a code span, for use inside of a table, where `\|` stands for a pipe.

    A backslash right before a pipe has no unambiguous spelling there: such a pipe is shown as a broken bar.
    """
    return code(text, longest).replace("\\|", "\\\u00a6").replace("|", "\\|")


def unlinked(text: str, longest: int = LONGEST_PROSE) -> str:
    """Give `text` on one line, for a place that reads no Markdown but mentions and references: a commit's message."""
    return _LINKED.sub(_BREAK, clean(text, longest).strip())


def prose(text: str, longest: int = LONGEST_PROSE) -> str:
    """Give a sentence in which foreign words stand, with everything that Markdown or GitHub would act on defused."""
    escaped = _SPECIAL.sub(r"\\\g<0>", unlinked(text, longest))
    return _BLOCK_START.sub(r"\1\\\2", escaped)


def markup(text: str, longest: int = LONGEST_NAME) -> str:
    """Give `text` for use inside of a line that begins with a tag: Markdown is not read there, and HTML is."""
    from html import escape  # noqa: PLC0415 - brings the names of 2,200 characters, and few texts stand in HTML

    return escape(unlinked(text, longest))


def fenced(lines: Sequence[str], kind: str = "text") -> str:
    """Give `lines` as a fenced block, with a fence longer than any inside."""
    body = [clean(line.replace("\t", "    "), LONGEST_LINE) for line in lines]
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in body), default=0))
    return "\n".join([f"{fence}{kind}", *body, fence])


def _longest_run(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
