"""Attached providers: a judge over the tables and a fake cloud with kept state, joined by one generic servicer.

They prove that a program passes the rules of the tables, what it changes and replaces, and in which order the engine
does it. They do not prove that the real APIs accept it: quotas, permissions, soft-deleted names, prices, regions that
lack a product and whatever no table lists show only against the real providers.
"""
