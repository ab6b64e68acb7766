"""What the reader of a change should know: metrics, gates, the report."""
