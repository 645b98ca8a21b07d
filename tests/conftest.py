"""Hypothesis profiles, by HYPOTHESIS_PROFILE: dev (quick), ci (default), deep (20,000 examples in four machines)."""

import os

from hypothesis import HealthCheck, settings

_QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)

settings.register_profile("dev", max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=_QUIET)
settings.register_profile(
    "ci",
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=_QUIET,
    database=None,
)
settings.register_profile(
    "deep", max_examples=5_000, stateful_step_count=100, deadline=None, suppress_health_check=_QUIET
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
