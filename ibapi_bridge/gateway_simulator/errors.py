"""The one error a user of the simulator has to expect."""


class ConfigError(ValueError):
    """A setting of the simulator that cannot work: one sentence naming the field, the value, what is accepted."""
