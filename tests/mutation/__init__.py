"""What is caught of what could be wrong: mutants of the stage files and of the program's resources, tier by tier."""
