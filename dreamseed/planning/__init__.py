"""What a stage file means: pure functions from a configuration to a plan."""
