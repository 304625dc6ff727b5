"""Experiments on the running tier: each claim of the plan tried, and engines and servers killed on purpose."""
