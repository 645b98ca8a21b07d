"""Every death of an actor is heard, whatever goes wrong on the way to it."""

from queue import SimpleQueue

from actors.base import Actor, start_actor, stop_actor
from actors.messages.system import ActorDied

PATIENCE = 10.0


class Supervisor:
    def __init__(self) -> None:
        self.told: SimpleQueue[object] = SimpleQueue()

    def tell(self, message: object) -> None:
        self.told.put(message)

    def last_words(self) -> str:
        death = self.told.get(timeout=PATIENCE)
        assert isinstance(death, ActorDied)
        return death.error


class Clinging(Actor):
    name = "clinging"

    def hear(self, message: object) -> None:
        raise ValueError(f"no {message}")

    def release(self) -> None:
        raise LookupError("it does not let go")


def test_a_death_is_heard_though_nothing_can_be_given_up() -> None:
    supervisor = Supervisor()
    start_actor(Clinging, supervisor=supervisor).tell("thing")
    said = supervisor.last_words()
    assert said.startswith("ValueError: no thing at test_base.py:")
    assert "while clinging heard 'thing'" in said
    assert "then LookupError: it does not let go at test_base.py:" in said


def test_an_actor_that_cannot_stop_as_it_should_has_died() -> None:
    supervisor = Supervisor()
    stop_actor(start_actor(Clinging, supervisor=supervisor))
    assert supervisor.last_words().startswith("LookupError: it does not let go at test_base.py:")
