"""Whether a stage that runs here is what its plan says: every cluster formed, in sync and answering.

Everything is only read, from inside the containers: nothing outside reaches their networks.
"""

from localtier.checks.finding import Finding
from localtier.checks.site import visit
from localtier.checks.stage import CHECKS, check_stage, wait_healthy

__all__ = ["CHECKS", "Finding", "check_stage", "visit", "wait_healthy"]
