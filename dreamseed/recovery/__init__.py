"""A lost or damaged state of the engine, recovered: copies of it, and what a person has to look up."""
