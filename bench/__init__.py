"""What the project promises about time, measured: `make bench`."""
