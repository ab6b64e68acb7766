"""Tables are laid out as tabulate, which DVC uses, lays them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabulate import tabulate

from runner.verbs.output import laid_out

# tabulate counts wide characters as two where another package is installed; ours are one everywhere.
CELLS = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("äßéЖ"), max_size=12)
HEADERS = st.lists(
    st.sampled_from(["Path", "Metric", "HEAD", "workspace", "Change", "\u2014 x"]), min_size=1, max_size=5
)


@given(data=st.data(), markdown=st.booleans())
def test_a_table_is_what_tabulate_makes_of_it(*, data: st.DataObject, markdown: bool) -> None:
    headers = data.draw(HEADERS)
    rows = data.draw(st.lists(st.tuples(*(CELLS for _ in headers)), max_size=4))
    expected = tabulate(rows, headers, tablefmt="github" if markdown else "plain", disable_numparse=True)
    assert laid_out(headers, rows, markdown=markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (False, "Path    Metric    HEAD\nm.json  loss      0.25"),
        (True, "| Path   | Metric   | HEAD   |\n|--------|----------|--------|\n| m.json | loss     | 0.25   |"),
    ],
)
def test_columns_are_two_wider_than_their_header(*, markdown: bool, expected: str) -> None:
    assert laid_out(["Path", "Metric", "HEAD"], [("m.json", "loss", "0.25")], markdown=markdown) == expected
