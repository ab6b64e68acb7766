"""A DVC project that draws: every template of DVC's, one of its own, definitions over several files, images."""

from __future__ import annotations

import base64
from typing import Final

PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DRAW: Final = '''\
"""Train nothing, and draw what training would have."""
import json, math, sys
from pathlib import Path

rate = float(next(line for line in open("params.yaml") if line.startswith("rate")).split()[1])
out = Path("plots")
out.mkdir(exist_ok=True)
loss = [round(math.exp(-rate * step) + 0.05 * math.sin(step), 4) for step in range(12)]
Path("model.pkl").write_text(f"weights {rate}\\n")
(out / "loss.csv").write_text("epoch,loss\\n" + "".join(f"{n},{v}\\n" for n, v in enumerate(loss)))
(out / "val.tsv").write_text("epoch\\tval_loss\\n" + "".join(f"{n}\\t{v + 0.1}\\n" for n, v in enumerate(loss)))
said = ["cat" if (n * rate * 10) % 4 < 2 else "dog" for n in range(20)]
pairs = [{"actual": "cat" if n % 3 else "dog", "predicted": one} for n, one in enumerate(said)]
(out / "classes.json").write_text(json.dumps(pairs))
roc = [{"fpr": n / 10, "tpr": round((n / 10) ** (1 - rate), 4)} for n in range(11)]
(out / "curves.json").write_text(json.dumps({"eval": {"roc": roc}, "note": "x"}))
(out / "importance.yaml").write_text("".join(f"- {{name: f{n}, weight: {n * rate}}}\\n" for n in range(1, 5)))
(out / "bare.csv").write_text("".join(f"{n},{v}\\n" for n, v in enumerate(loss[:5])))
circle = f'<circle cx="30" cy="30" r="{30 * rate}" fill="teal"/>'
Path("shape.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60">{circle}</svg>')
Path("metrics.json").write_text(json.dumps({"loss": loss[-1], "auc": round(1 - rate / 10, 4)}))
'''
PIPELINE: Final = """\
stages:
  draw:
    cmd: python3 draw.py
    deps: [draw.py, data.csv]
    params: [rate]
    outs: [model.pkl]
    metrics:
    - metrics.json: {cache: false}
    plots:
    - plots/loss.csv: {x: epoch, y: loss, title: Training loss}
    - plots/val.tsv: {x: epoch, template: simple}
    - plots/classes.json: {template: confusion, x: actual, y: predicted}
    - plots/curves.json: {template: smooth, x: fpr, y: tpr, x_label: false positives, cache: false}
    - plots/importance.yaml: {template: bar_horizontal, x: weight, y: name}
    - plots/bare.csv: {header: false, template: scatter, x: "0", y: "1"}
    - shape.svg
    - pixels
plots:
- both losses:
    x: epoch
    y: {plots/loss.csv: loss, plots/val.tsv: val_loss}
    title: Loss on both halves
- own:
    template: dots
    x: fpr
    y: {plots/curves.json: [tpr, fpr]}
"""
OWN: Final = """\
{"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "title": "<DVC_METRIC_TITLE>",
 "data": {"values": "<DVC_METRIC_DATA>"}, "mark": "point", "encoding": {
 "x": {"field": "<DVC_METRIC_X>", "type": "quantitative"},
 "y": {"field": "<DVC_METRIC_Y>", "type": "quantitative"}, "color": {"field": "rev", "type": "nominal"}}}
"""


FILES: Final = {
    ".dvc/plots/dots.json": OWN,
    "data.csv": "a,b\n1,2\n",
    "params.yaml": "rate: 0.3\n",
    "draw.py": f"""{DRAW}\
Path("pixels").mkdir(exist_ok=True)
Path("pixels/one.png").write_bytes({PIXEL!r})
""",
}
