"""What proves that the alerts fire: cases for promtool, and mutants of every expression that the cases must catch."""
