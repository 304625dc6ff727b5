"""A stand-in for Compute Engine: what its API answers, on a clock of the caller's, with the faults it is known for."""
