"""The servers' tier on real Docker Engines of this machine: brought up, checked, promoted under load, and broken.

The program, its stage files and the engine are the real ones, and so are the containers; what stands in the cloud stays
rehearsed. Needs Linux and root. What stands in for what: docs/reference/stand-ins.md.
"""
