"""The GPU autoscaler: when a spot worker is bought to bridge a peak, when it goes, and what it may cost at most."""
