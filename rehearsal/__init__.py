"""Rehearse a Pulumi program by the real engine, on a laptop, with no cloud credentials."""
