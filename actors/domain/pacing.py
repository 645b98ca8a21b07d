"""A token bucket as a value: how many messages may leave now."""

from actors.domain.frozen import evolved, frozen


@frozen(kw_only=True)
class TokenBucket:
    """At most ``rate`` messages a second on average and ``burst`` at once.

    Source: IBKR limits a connection to about 50 messages a second (100 market-data lines / 2) and ends the
    session after repeated breaches; the default stays below it.
    """

    rate: float
    burst: float
    tokens: float
    elapsed: float

    @classmethod
    def full(cls, *, rate: float, burst: float | None = None, elapsed: float = 0.0) -> "TokenBucket":
        """A full bucket; ``burst`` defaults to one second's worth."""
        size = rate if burst is None else burst
        return cls(rate=rate, burst=size, tokens=size, elapsed=elapsed)

    def refilled(self, elapsed: float) -> "TokenBucket":
        """The bucket at a later monotonic time; a clock that steps back adds nothing."""
        gained = max(0.0, elapsed - self.elapsed) * self.rate
        return evolved(self, tokens=min(self.burst, self.tokens + gained), elapsed=max(elapsed, self.elapsed))

    def take(self) -> "TokenBucket | None":
        """The bucket after one message, None when it must wait."""
        return evolved(self, tokens=self.tokens - 1) if self.tokens >= 1 else None
