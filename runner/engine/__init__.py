"""Which stages are stale, and making them fresh."""
