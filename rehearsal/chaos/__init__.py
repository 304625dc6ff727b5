"""Faults at the operations of a rehearsal's runs: after each, the next run must bring everything in order."""
