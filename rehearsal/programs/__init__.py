"""Runs the programs of rehearsals in forked processes, in the place of Pulumi's Python language host.

The language host asks pip for all packages and starts a Python that imports Pulumi and the SDKs, for each run anew:
half of what a run costs. Here a process has imported them before (`forking.py`) and forks for each run of the engine a
server (`server.py`), to which the engine is attached as it is to providers, and a process that runs the program by the
engine's own script (`running.py`). What the program does stays in that process. Where it would not be the same
(`choice.py`, `forking.py`), the language host runs the program.
"""
