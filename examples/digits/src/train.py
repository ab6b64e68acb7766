"""Fit a support vector machine on data/features/train.npy and write it to models/svm.pkl."""

import pickle
from pathlib import Path

import numpy as np
import yaml
from sklearn.svm import SVC

TRAIN = Path("data/features/train.npy")
MODEL = Path("models/svm.pkl")


def main() -> None:
    """Fit with the C and gamma of params.yaml; the same input gives the same bytes."""
    svm = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["svm"]
    rows = np.load(TRAIN)
    model = SVC(C=svm["C"], gamma=svm["gamma"]).fit(rows[:, 1:], rows[:, 0])
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    MODEL.write_bytes(pickle.dumps(model))


if __name__ == "__main__":
    main()
