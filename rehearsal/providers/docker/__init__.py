"""The docker provider on real Docker Engines: a `Cloud` that makes what a program declares."""
