"""What a path is to a reader: data, code, a model, a metric, a plot. By what the DVC files say, else by its suffix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runner.pipeline import documents
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Collection

    from runner.pipeline.model import Out
    from runner.pipeline.pipeline import Pipeline
    from runner.review.changed import Kind

_CODE_SUFFIXES = ".py .ipynb .r .rmd .jl .sh .bash .sql .c .cc .cpp .h .cu .rs .go .java .scala .js .ts .rb"
_MODEL_SUFFIXES = ".pkl .pickle .joblib .pt .pth .ckpt .onnx .h5 .hdf5 .keras .safetensors .tflite .pb .cbm .bst .gguf"
_CODE: Final = frozenset(_CODE_SUFFIXES.split())
_MODEL: Final = frozenset(_MODEL_SUFFIXES.split())
_NAMED: Final = regex(r"(?:\A|[/_.-])models?(?:\Z|[/_.-])", re.IGNORECASE)


def models(pipeline: Pipeline) -> frozenset[str]:
    """Give the paths that the project declares as artifacts of type `model`."""
    return frozenset(one.path for one in pipeline.declared.artifacts if one.type == "model")


def of_out(out: Out, declared: Collection[str]) -> Kind:
    """Give what an out is; `declared` names those that the project calls models."""
    if out.metric or out.plot:
        return "metric" if out.metric else "plot"
    suffix = documents.suffix(out.path)
    is_model = out.path in declared or suffix in _MODEL or (not suffix and _NAMED.search(out.path))
    return "model" if is_model else "data"


def of_dep(path: str) -> Kind:
    """Give what a dep is that no stage writes."""
    return "code" if documents.suffix(path) in _CODE else "data"
