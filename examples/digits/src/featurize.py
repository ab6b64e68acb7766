"""Turn the raw digits into data/features/train.npy and test.npy: the label, then the features of each digit."""

from pathlib import Path

import numpy as np
import yaml
from sklearn.model_selection import train_test_split

RAW = Path("data/raw/digits.csv")
FEATURES = Path("data/features")
SIDE = 8
BRIGHTEST = 16


def features(pixels: np.ndarray) -> np.ndarray:
    """Scale the pixels to 0..1 and add the mean of each row and column of the picture."""
    pictures = pixels.reshape(-1, SIDE, SIDE) / BRIGHTEST
    return np.column_stack([pictures.reshape(len(pictures), -1), pictures.mean(axis=1), pictures.mean(axis=2)])


def main() -> None:
    """Split as params.yaml says, each class in the same share, and write both parts."""
    split = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["split"]
    raw = np.loadtxt(RAW, delimiter=",")
    labels = raw[:, 0]
    rows = np.column_stack([labels, features(raw[:, 1:])])
    parts = train_test_split(rows, test_size=split["test_share"], random_state=split["seed"], stratify=labels)
    FEATURES.mkdir(parents=True, exist_ok=True)
    for name, part in zip(("train", "test"), parts, strict=True):
        np.save(FEATURES / f"{name}.npy", part)


if __name__ == "__main__":
    main()
