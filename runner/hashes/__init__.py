"""Names for bytes: `Hash`, `Tree`, a directory's listing, and `Names`, very many of them in little memory.

DVC's forms, byte for byte.
"""

from runner.hashes.hash import CHUNK, DIR, LEGACY, MD5, Hash, hash_bytes, hash_file
from runner.hashes.names import Names, Sizes
from runner.hashes.tree import Tree, check_row, differing, hash_listing

__all__ = [
    "CHUNK",
    "DIR",
    "LEGACY",
    "MD5",
    "Hash",
    "Names",
    "Sizes",
    "Tree",
    "check_row",
    "differing",
    "hash_bytes",
    "hash_file",
    "hash_listing",
]
