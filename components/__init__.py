"""Pulumi component resources, one file a logical entity; they declare the plan and decide nothing."""
