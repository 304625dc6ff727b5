"""What the autoscaler does on real traffic, how fast it decides, and a million steps that are held to its promises."""
