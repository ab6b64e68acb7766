"""Write the expected renderings of the sample reports anew: run by `make golden`; look at the difference in git."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from runner.review.assets import script  # noqa: E402  # the path comes first
from runner.review.report import Report, to_html, to_json, to_markdown  # noqa: E402  # the path comes first
from tests.golden import real  # noqa: E402  # the path comes first
from tests.golden.samples import SAMPLES  # noqa: E402  # the path comes first


def renderings(report: Report) -> dict[str, str]:
    """Give what is kept of a report, by suffix."""
    tight = to_markdown(report, 8_000)
    page = to_html(report).replace(script("vega.js").text, "/* Vega */")  # 900 kB, and held to its source elsewhere
    return {"json": to_json(report), "md": to_markdown(report), "tight.md": tight, "html": page}


def main() -> None:
    for name, make in SAMPLES.items():
        for suffix, text in renderings(make()).items():
            (HERE / f"{name}.{suffix}").write_text(text, "utf-8")
    with TemporaryDirectory() as folder:
        (HERE / "real.md").write_text(real.comment(real.trained(Path(folder))), "utf-8")


if __name__ == "__main__":
    main()
