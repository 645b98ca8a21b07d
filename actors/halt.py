"""The halt flag: write-once, the only mutable thing that threads share; read at the last gate before the wire."""


class HaltSwitch:
    """Once set it stays set for the life of the process; the first reason is kept."""

    def __init__(self) -> None:
        self._reason: str | None = None

    def set(self, reason: str) -> bool:
        """Halt; True when this call was the first."""
        if self._reason is not None:
            return False
        self._reason = reason
        return True

    @property
    def reason(self) -> str | None:
        """Why trading is halted, None while it is not."""
        return self._reason
