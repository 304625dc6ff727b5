"""Spot workers as containers: a stand-in for Compute Engine whose machines are Docker Engines of this machine."""
