"""A fleet of engines under a day's traffic, event by event, on a clock of its own: what an autoscaler is tried on.

An engine here is the one of `simulator.engine` with its steps joined: between two events every request advances at the
roofline's pace, so that a day takes seconds. A test holds its times to those of the engine that takes every step.
"""
