"""`python -I -m runner`, but that it lets no second pass between two writes to the code host: the fake has no limit."""

from runner.__main__ import main
from runner.forge import api

api._BETWEEN_WRITES = 0.0  # type: ignore[misc]
main()
