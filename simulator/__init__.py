"""A stand-in for vLLM where there is no card: it answers as the pinned version would, and says that it is simulated."""
