"""Attached providers: a judge over the tables and a fake cloud with kept state, joined by one generic servicer."""
