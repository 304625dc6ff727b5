"""The plan's feedback loop: what a running stage's metrics, bills and growth say, with "unknown" where nothing does."""
