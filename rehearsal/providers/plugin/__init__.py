"""A vendor's own plugin as judge: found, started, asked what it thinks of a program, and never let near a cloud."""
