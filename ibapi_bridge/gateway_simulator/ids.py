"""Order ids by client id, and permanent ids."""

from collections.abc import Mapping


class OrderIds:
    """The lowest usable order id of each client id; ids once used never come back, unless rolled back.

    Permanent ids begin at a number of IBKR's size plus `shift`.
    """

    def __init__(self, *, first: int, shift: int = 0) -> None:
        self._first = first
        self._next: dict[int, int] = {}
        self._next_perm = 389_211_034 + shift
        self._last_bound = 0
        self._again: set[tuple[int, int]] = set()

    def next_for(self, client_id: int) -> int:
        """The lowest id this client may use for a new order."""
        return self._next.get(client_id, self._first)

    def used(self, client_id: int, order_id: int) -> bool:
        """Whether an id is below what this client may use."""
        return order_id < self.next_for(client_id)

    def use(self, client_id: int, order_id: int) -> None:
        """Consumes an id and everything below it."""
        self._next[client_id] = max(self.next_for(client_id), order_id + 1)

    def allow_again(self, client_id: int, order_id: int) -> None:
        """Lets one id that was used be used once more."""
        self._again.add((client_id, order_id))

    def usable(self, client_id: int, order_id: int) -> bool:
        """Whether a new order may have that id."""
        if (client_id, order_id) in self._again:
            self._again.remove((client_id, order_id))
            return True
        return order_id >= self.next_for(client_id)

    def roll_back(self, client_id: int, to: int) -> None:
        """Forgets ids from `to` on, as a gateway that was restarted before it could save them."""
        self._next[client_id] = to

    def forget(self) -> None:
        """Begins anew for every client, as a gateway without its settings."""
        self._next.clear()

    def roll_back_all(self, count: int) -> None:
        """Takes that many ids back from every client, never below the first."""
        for client_id, number in self._next.items():
            self._next[client_id] = max(number - count, self._first)

    def next_bound(self, *, negative: bool) -> int:
        """The API id for a manual order that is bound to client 0."""
        if negative:
            self._last_bound -= 1
            return self._last_bound
        order_id = self.next_for(0)
        self.use(0, order_id)
        return order_id

    def new_perm_id(self) -> int:
        """A permanent id never used before."""
        self._next_perm += 1
        return self._next_perm - 1

    def save(self) -> dict[str, object]:
        """The state as plain JSON values."""
        return {"next": {str(client): number for client, number in self._next.items()}, "perm": self._next_perm}

    def load(self, saved: Mapping[str, object]) -> None:
        """Continues from a saved state."""
        numbers, perm = saved["next"], saved["perm"]
        if not isinstance(numbers, dict) or not isinstance(perm, int):
            raise TypeError("saved order ids are damaged")
        self._next = {int(client): int(number) for client, number in numbers.items()}
        self._next_perm = perm
