"""DreamSeed Infrastructure: the growth plan of DreamSeedAI as configuration, plan and commands (no Pulumi here)."""
