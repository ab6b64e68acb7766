"""A command's output: lines intact, memory bounded, the end remembered."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.log.stage import LINE_LIMIT, TAIL_LINES, TAIL_WIDTH, StageOutput


def shown(*chunks: bytes, live: bool = False) -> tuple[str, tuple[str, ...]]:
    written: list[str] = []
    output = StageOutput(written.append, lambda text: text.replace("secret", "***"), live=live)
    for chunk in chunks:
        output(chunk)
    output.close()
    return "".join(written), output.tail


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((), ""),
        ((b"a\n",), "a\n"),
        ((b"a",), "a\n"),
        ((b"\n",), "\n"),
        ((b"a\n\nb",), "a\n\nb\n"),
        ((b"a", b"b\nc"), "ab\nc\n"),
        ((b"a\r\nb\r\n",), "a\nb\n"),
        ((b"a\r", b"\nb"), "a\nb\n"),
        ((b"1%\r50%\r100%\ndone\n",), "100%\ndone\n"),
        ((b"1%\r", b"50%", b"\r100%", b"\n"), "100%\n"),
        ((b"1%\r50%",), "50%\n"),
        ((b"\xff\xfe\n",), "\ufffd\ufffd\n"),
        ((b"\xc3", b"\xa9\n"), "\u00e9\n"),
        ((b"sec", b"ret\n"), "***\n"),
    ],
)
def test_lines_arrive_whole_however_the_bytes_were_cut(chunks: tuple[bytes, ...], expected: str) -> None:
    assert shown(*chunks)[0] == expected


@given(st.lists(st.text(alphabet="ab\u00e9", max_size=5)), st.integers(1, 7))
def test_any_text_comes_out_as_it_went_in(lines: list[str], size: int) -> None:
    printed = "".join(f"{line}\n" for line in lines)
    raw = printed.encode()
    assert shown(*(raw[at : at + size] for at in range(0, len(raw), size)))[0] == printed


def test_the_last_lines_are_remembered_and_capped() -> None:
    _, tail = shown(*(f"{number}\n".encode() for number in range(100)), b"y" * 9999)
    assert len(tail) == TAIL_LINES
    assert tail[:2] == ("61", "62")
    assert tail[-1] == "y" * TAIL_WIDTH


def test_a_line_is_cut_at_the_limit_and_the_next_one_is_whole() -> None:
    text, _ = shown(b"x" * (LINE_LIMIT + 1) + b"\nnext\n")
    assert text == "x" * LINE_LIMIT + " [line cut]\nnext\n"


@pytest.mark.parametrize("live", [False, True])
def test_a_line_that_never_ends_is_cut_once_and_costs_constant_memory(live: bool) -> None:  # noqa: FBT001
    written: list[str] = []
    output = StageOutput(written.append, str, live=live)
    chunk = b"x" * 65_536
    tracemalloc.start()
    for _ in range(500):
        output(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    output(b"rest\nnext\n")
    output.close()
    assert "".join(written) == "x" * LINE_LIMIT + " [line cut]\nnext\n"
    assert peak < 2_000_000
    assert output.tail[-1] == "next"


def test_a_secret_at_the_cut_is_not_shown_in_part() -> None:
    text, _ = shown(b"x" * (LINE_LIMIT - 3) + b"secret", *[b"x" * 65_536] * 3)
    assert "sec" not in text


def test_a_progress_bar_of_hours_costs_constant_memory_and_shows_its_end() -> None:
    written: list[str] = []
    output = StageOutput(written.append, str, live=False)
    tracemalloc.start()
    for number in range(2_000):
        output(f"\r{number:6d}".encode() * 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    output.close()
    assert written == ["  1999\n"]
    assert peak < 50_000


def test_a_watched_terminal_gets_progress_unchanged_and_the_memory_its_end() -> None:
    text, tail = shown(b"1%\r", b"50%\r", b"100%\ndone", live=True)
    assert text == "1%\r50%\r100%\ndone\n"
    assert tail == ("100%", "done")
