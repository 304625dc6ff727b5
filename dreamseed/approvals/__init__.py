"""Approvals: records of what a promotion is decided on, signed by two people with their own keys, in a chain."""
