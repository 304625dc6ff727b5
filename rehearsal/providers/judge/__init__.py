"""The judge over the tables: Check, Diff and what a preview knows, as the real providers would answer."""
