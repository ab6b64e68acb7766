"""Write scikit-learn's bundled digits as data/raw/digits.csv: the label, then 64 grey values from 0 to 16."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

RAW = Path("data/raw")


def main() -> None:
    """Write one row a digit, in the order of the bundled set."""
    pixels, labels = load_digits(return_X_y=True)
    RAW.mkdir(parents=True, exist_ok=True)
    rows = np.column_stack([labels, pixels]).astype(int)
    np.savetxt(RAW / "digits.csv", rows, fmt="%d", delimiter=",")


if __name__ == "__main__":
    main()
