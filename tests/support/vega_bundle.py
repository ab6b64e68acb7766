"""Vega, Vega-Lite and vega-embed as one script, as vl-convert-python bundles them: `make assets` writes it anew."""

from __future__ import annotations

from pathlib import Path

import vl_convert

ROOT = Path(__file__).parents[2]
ASSET = ROOT / "runner" / "review" / "assets" / "vega.js"
LITE = "6.4"  # the version for Vega 6; it reads what is written for 5, as the templates of DVC are


def bundle() -> str:
    """Give the script."""
    versions = (
        f"Vega {vl_convert.get_vega_version()}, Vega-Lite {LITE}, vega-embed {vl_convert.get_vega_embed_version()}"
    )
    notice = "Copyright University of Washington Interactive Data Lab and contributors, BSD-3-Clause: LICENSE-vega"
    code = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=LITE)
    return f"/* {versions}. {notice} */\n{code}\n"


if __name__ == "__main__":
    ASSET.write_text(bundle(), "utf-8")
