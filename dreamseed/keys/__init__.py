"""The service's keys: which there are, and how one is exchanged by one command."""
