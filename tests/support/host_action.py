"""host/action.yml from action.yml: the same inputs and outputs, handed on one by one. Writes it anew: `make host`."""

from __future__ import annotations

import re

from tests.support.tools import ROOT

PLACE = ROOT / "host" / "action.yml"

_HEAD = """\
# Written by `make host` from ../action.yml; never by hand.
name: Retrain on the host
description: The same as the container action, with the job's own Python, conda environment and GPU for the stages.
author: Retrain contributors

inputs:
  python:
    description: "The Python that runs the runner, 3.11 or later, by name or path; stages never see it. Empty: the first there is."
    default: ""
"""  # noqa: E501 - a line of the file
_RUN = """\
runs:
  using: composite
  steps:
    - id: retrain
      shell: bash
      run: exec "$GITHUB_ACTION_PATH/run.sh"
      env:
        RETRAIN_PYTHON: ${{ inputs.python }}
"""


def rendered() -> str:
    """Give the file's text."""
    _, inputs, outputs, _ = re.split(
        r"^(?:inputs|outputs|runs):\n", (ROOT / "action.yml").read_text(), flags=re.MULTILINE
    )
    names = re.findall(r"^  ([a-z-]+):$", inputs, re.MULTILINE)
    handed = "".join(f"        INPUT_{name.upper()}: ${{{{ inputs.{name} }}}}\n" for name in names)
    valued = re.sub(r"^  ([a-z-]+):\n(    .*)\n", _valued, outputs, flags=re.MULTILINE)
    return f"{_HEAD}{inputs}outputs:\n{valued}{_RUN}{handed}"


def _valued(output: re.Match[str]) -> str:
    return f"{output[0]}    value: ${{{{ steps.retrain.outputs.{output[1]} }}}}\n"


if __name__ == "__main__":
    PLACE.write_text(rendered(), encoding="utf-8")
