"""Mistakes of the user: one clear sentence each, exit code 2."""


class UserError(ValueError):
    """Base of everything a user can put right; its text is one sentence."""


class ConfigError(UserError):
    """A configuration that cannot be meant."""


class StrategyLoadError(UserError):
    """A strategy that cannot be loaded or given its parameters."""
