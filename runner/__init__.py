"""Retrain: retrains models in CI and decides whether they may be merged."""

__version__ = "0.1.0"
