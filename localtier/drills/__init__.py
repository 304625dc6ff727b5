"""Restore drills: real backups of a stage's settings, lost, damaged and restored in a sandbox of this machine."""
