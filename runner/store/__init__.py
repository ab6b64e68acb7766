"""Bytes under names: cache, remotes and the way between them. Knows no pipeline."""
