"""Criteria: limits of grid codes and standards as data, one limit family a file, and verdicts on a Result.

    criteria.profile_names()                        what there is
    profile = criteria.load_profile("wecc")         limits with clause, edition, source, confidence
    verdicts = criteria.check(result, profile)      one Verdict a limit

A number that was not read in the primary text, or verified by computation, is marked "unverified" wherever it is used.
"""

from __future__ import annotations

from gridai.criteria.base import Criterion
from gridai.criteria.families import FAMILIES, make
from gridai.criteria.profiles import CONFIDENCE, Profile, check, default_profile_name, load_profile, profile_names

__all__ = [
    "CONFIDENCE", "FAMILIES", "Criterion", "Profile", "check", "default_profile_name", "load_profile", "make",
    "profile_names",
]  # fmt: skip
