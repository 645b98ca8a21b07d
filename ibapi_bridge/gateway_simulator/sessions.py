"""Who is connected, and who gets to hear about an order."""

from collections.abc import Iterator

from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.session import Session


class Sessions:
    """The connections that have sent startApi, by client id."""

    def __init__(self, *, master_client_id: int | None) -> None:
        self._by_client: dict[int, Session] = {}
        self._master = master_client_id
        self._observers: dict[int, set[int]] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_client.values()))

    def __len__(self) -> int:
        return len(self._by_client)

    def taken(self, client_id: int) -> bool:
        """Whether that client id is connected."""
        return client_id in self._by_client

    def add(self, session: Session, client_id: int) -> None:
        """Registers a started session."""
        session.client_id = client_id
        self._by_client[client_id] = session

    def remove(self, session: Session) -> None:
        """Forgets a session."""
        if session.client_id is not None and self._by_client.get(session.client_id) is session:
            del self._by_client[session.client_id]

    def of(self, client_id: int) -> Session | None:
        """The session of a client id."""
        return self._by_client.get(client_id)

    def observe(self, order: ApiOrder, client_id: int) -> None:
        """Lets a foreign client hear about an order from now on, because it asked for its cancel."""
        self._observers.setdefault(order.perm_id, set()).add(client_id)

    def watching(self, order: ApiOrder) -> list[Session]:
        """The owner's session, the master's, and those of clients that cancelled it.

        A manual order (API id 0) has no owner until client 0 is bound to it.
        """
        owner = None if order.order_id == 0 else self._by_client.get(order.client_id)
        if self._master is None and order.perm_id not in self._observers:
            return [] if owner is None else [owner]
        clients = {order.client_id if order.order_id else None, self._master, *self._observers.get(order.perm_id, ())}
        return [session for client, session in self._by_client.items() if client in clients]
