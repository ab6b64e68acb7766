"""The place that hosts the code: events in, comments and outputs out."""
