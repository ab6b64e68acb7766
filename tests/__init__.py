"""Everything that shows that Retrain does what it says."""
