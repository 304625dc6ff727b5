"""Gates: whether the next stage is due, and whether everything that a promotion needs is known and met."""
