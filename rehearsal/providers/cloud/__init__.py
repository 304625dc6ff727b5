"""The fake cloud: resources with kept state and plausible computed outputs, no network."""
