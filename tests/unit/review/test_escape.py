"""Foreign text, whatever it holds, stays text: shown by GitHub's own Markdown engine, cmark-gfm, as shown."""

from __future__ import annotations

import html
import re

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from hypothesis import example, given
from hypothesis import strategies as st

from runner.review import escape

NASTY = (
    "`", "``", "|", "\\", "\\|", "*", "_", "[x](http://e.e)", "![i](//e.e/a.png)", "<img src=x>", "</details>",
    "<!-- m -->", "@octocat", "fixes #1", "GH-12", "www.evil.example", "https://e.e", "a@b.cc", "\n", "\r\n", "```",
    "~~~", "---", "===", "1. ", "- ", "> ", "# ", "$x$", "~~s~~", "&lt;", "&#64;x", "\u202e", "\x1b[31m", "\x00", " ",
    "\t", "\ud800", "a", "\u200b", "| - | - |", "org/repo#3", "ftp://e.e", "mailto:a@b.cc", "^[1]", "[^1]", "[^1]: x",
    "=", "+ ", "HTTP://E.E",
)  # fmt: skip
FOREIGN = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=12).map("".join)
LIVE = re.compile(r"<(a|img|h[1-6]|em|strong|del|hr|blockquote|input|sup|script|details|ul|ol)\b", re.IGNORECASE)
# What GitHub itself makes of text after Markdown: mentions, references, and the formulas between dollars.
REFERENCE = re.compile(r"(?<!\w)@\w|#\d|\bGH-\d")


def rendered(markdown: str) -> str:
    page: str = github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return page


def outside_of_code(page: str) -> str:
    return re.sub(r"<(code|pre)\b.*?</\1>", "", page, flags=re.DOTALL)


@given(FOREIGN)
@example("`a`` b```")
@example("a\\")
@example("`")
def test_a_code_span_is_one_code_element_and_nothing_else(text: str) -> None:
    span = escape.code(text)
    page = rendered(f"x {span} y\n")
    if span in {"(empty)", "(blank)"}:
        return
    inside = re.fullmatch(r"<p>x <code>(.*)</code> y</p>\n", page, re.DOTALL)
    assert inside
    assert html.unescape(inside.group(1)) == escape.clean(text)


@given(FOREIGN)
@example("a\\|b")
@example("a\\\\|b|")
@example("\\")
def test_a_cell_stays_in_its_column(text: str) -> None:
    page = rendered(f"| A | B |\n| - | - |\n| {escape.cell(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "end"
    assert not LIVE.search(page)


@pytest.mark.parametrize(
    ("text", "span"), [("a|b", "`a\\|b`"), ("a\\|b", "`a\\\u00a6b`"), ("|", "`\\|`"), ("a\\", "`a\\`")]
)
def test_a_pipe_in_a_cell_is_escaped_unless_a_backslash_before_it_makes_that_ambiguous(text: str, span: str) -> None:
    assert escape.cell(text) == span


@given(FOREIGN)
@example("1. x")
@example("- - -")
@example("--")
@example("===")
@example("[^1]: x")
@pytest.mark.parametrize("before", ["", "- ", "**x:** ", "| A |\n| - |\n| "])
def test_prose_holds_no_link_image_mention_markup_or_html(before: str, text: str) -> None:
    page = rendered(f"{before}{escape.prose(text)}{' |' if '|' in before else ''}\n")
    ours = page.replace("<ul>", "", 1).replace("<strong>", "", 1)
    assert not LIVE.search(ours)
    assert not REFERENCE.search(outside_of_code(html.unescape(page)))
    assert "<!--" not in page
    assert page.count("<td>") == before.count("- |")


@given(FOREIGN)
def test_prose_reads_as_the_text_it_was(text: str) -> None:
    page = rendered(f"x: {escape.prose(text)}.\n")
    shown = html.unescape(page.removeprefix("<p>x: ").removesuffix(".</p>\n")).replace("\u200b", "")
    told = escape.clean(text, escape.LONGEST_PROSE).replace("\u200b", "").strip()
    assert " ".join(shown.split()) == " ".join(told.split())


@given(st.lists(FOREIGN, max_size=6))
def test_a_fenced_block_ends_where_we_end_it(lines: list[str]) -> None:
    page = rendered(f"{escape.fenced(lines)}\n\nafter\n")
    assert re.fullmatch(r'<pre lang="text"><code>[^<]*</code></pre>\n<p>after</p>\n', page)


@given(FOREIGN | st.text(), st.integers(10, 300))
def test_clean_text_is_one_line_of_visible_characters_within_its_length(text: str, longest: int) -> None:
    line = escape.clean(text, longest)
    assert len(line.replace("\u200b", "")) <= longest
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]", line)
    assert "<!--" not in line
    line.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("a\nb\tc", "a b c"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x", "red x"),
        ("x\u202egpj.exe", "xgpj.exe"),
        ("half \udce9", "half \ufffd"),
        ("größe 模型", "größe 模型"),
        ("x" * 300, "x" * 197 + "..."),
        ("<!-- ours -->", "<\u200b!-- ours -->"),
    ],
)
def test_what_cannot_be_seen_is_dropped(text: str, line: str) -> None:
    assert escape.clean(text) == line


@pytest.mark.parametrize(
    ("text", "span"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), (" a ", "`  a  `"), ("", "(empty)"), ("\n", "(blank)")],
)
def test_a_code_span_has_a_fence_longer_than_any_inside(text: str, span: str) -> None:
    assert escape.code(text) == span


@pytest.mark.parametrize("text", ["-0.0774", "0.8956", "+0.004", "1.5 s", "a-b", "at least 0.9"])
def test_numbers_and_plain_words_need_no_escaping(text: str) -> None:
    assert escape.prose(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a <b> & 'c'", "a &lt;b&gt; &amp; &#x27;c&#x27;"),
        ("</summary><script>alert(1)</script>", "&lt;/summary&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("@octocat\n\n# x", "@\u200boctocat  #\u200b x"),
    ],
)
def test_inside_of_a_tag_html_is_escaped_as_markdown_is_not_read_there(text: str, shown: str) -> None:
    assert escape.markup(text) == shown
    assert "<script" not in github_flavored_markdown_to_html(f"<details><summary>{escape.markup(text)}</summary>\n")
