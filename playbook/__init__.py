"""Where a promotion is carried out: a rehearsal without Docker, or the servers' tier on real Docker Engines."""
