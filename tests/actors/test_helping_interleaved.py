"""The helped inbox at every change of threads: a seed is one order of events, and the same one again."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from actors.helping import MOST_HELPED, HelpedInbox, HelpFailed
from tests.actors.interleaving import Interleaving, Lock, Queue

SEEDS = 120


class Told(NamedTuple):
    sender: str
    number: int
    is_quick: bool = True
    is_wrong: bool = False
    brings: int = 0
    """So many more are told by the actor itself while it hears this."""


class Envelope(NamedTuple):
    message: Any
    reply_to: object = None


def quick(told: object) -> Told | None:
    return told if isinstance(told, Told) and told.is_quick else None


class Scene:
    """An actor's loop as Pykka has it, on an interleaving."""

    def __init__(self, seed: int) -> None:
        self.turns = Interleaving(seed, watched="actors/helping.py")
        self.inbox = HelpedInbox()
        self.inbox._turn, self.inbox._calls = Lock(self.turns), Queue(self.turns)  # type: ignore[assignment]
        self.inbox.belong_to(hear=self.hear, quick=quick)
        self.heard: list[Told] = []
        self.death: BaseException | None = None
        self.has_stopped = self._is_in = False

    def hear(self, message: Told) -> None:
        assert not self._is_in, "two hear at once"
        assert not self.has_stopped, "heard after the end"
        self._is_in = True
        for _ in range(4):
            self.turns.pause()
        self.heard.append(message)
        for number in range(message.brings):
            self.inbox.put(Envelope(Told(f"{message.sender}'s", number)))
        self._is_in = False
        if message.is_wrong:
            raise ArithmeticError

    def loop(self) -> None:
        while not self.has_stopped:
            envelope = self.inbox.get()
            self.turns.pause()
            if isinstance(envelope.message, HelpFailed):
                self.death = envelope.message.error
                self.has_stopped = True
            elif envelope.reply_to is not None:
                self.has_stopped = envelope.reply_to == "stop"
            else:
                self._hear_as_pykka_does(envelope.message)

    def _hear_as_pykka_does(self, message: Told) -> None:
        try:
            self.hear(message)
        except ArithmeticError as error:
            self.death = error
            self.has_stopped = True

    def teller(self, *messages: Told) -> Callable[[], None]:
        def tell() -> None:
            for message in messages:
                self.inbox.put(Envelope(message))

        return tell

    def stop(self) -> None:
        self.inbox.put(Envelope(None, "stop"))

    def of(self, sender: str) -> list[int]:
        return [told.number for told in self.heard if told.sender == sender]


def told_by(sender: str, kinds: str) -> list[Told]:
    """``q`` quick, ``s`` slow, ``w`` wrong, ``b`` quick and brings others."""
    return [
        Told(sender, number, is_quick=kind != "s", is_wrong=kind == "w", brings=2 * (kind == "b"))
        for number, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    "kinds",
    [
        {"a": "q", "b": "q"},
        {"a": "qqq", "b": "qqq", "c": "qqq"},
        {"a": "q", "b": "s"},
        {"a": "qsq", "b": "qqs", "c": "sq"},
        {"a": "bqb", "b": "qsb"},
        {"a": "q" * (MOST_HELPED + 2), "b": "qq"},
    ],
)
def test_all_is_heard_once_and_in_order_and_nothing_waits_for_ever(kinds: dict[str, str]) -> None:
    for seed in range(SEEDS):
        scene = Scene(seed)
        told = {sender: told_by(sender, word) for sender, word in kinds.items()}
        scene.turns.run(scene.loop, *[scene.teller(*messages) for messages in told.values()])
        waiting, brought = scene.inbox.qsize(), sum(each.brings for each in scene.heard)
        assert waiting == 0, f"seed {seed}: {waiting} wait and nobody comes"
        assert len(scene.heard) == sum(map(len, told.values())) + brought, f"seed {seed}"
        for sender, messages in told.items():
            assert scene.of(sender) == list(range(len(messages))), f"seed {seed}"
        scene.turns.run(scene.stop)
        assert scene.has_stopped, f"seed {seed}: nobody hears the stop"


def test_what_was_told_before_a_stop_is_heard_and_nothing_after_it() -> None:
    for seed in range(SEEDS):
        scene = Scene(seed)
        before, meanwhile = told_by("a", "qsqq"), told_by("b", "qqqqqq")

        def tell_and_stop(scene: Scene = scene, before: list[Told] = before) -> None:
            scene.teller(*before)()
            scene.stop()

        scene.turns.run(scene.loop, tell_and_stop, scene.teller(*meanwhile))
        assert scene.has_stopped, f"seed {seed}"
        assert scene.of("a") == [0, 1, 2, 3], f"seed {seed}"
        assert scene.of("b") == list(range(len(scene.of("b")))), f"seed {seed}"


@pytest.mark.parametrize("kinds", [("qwq", "qqq"), ("sqw", "qsq"), ("w", "w")])
def test_a_failure_is_raised_by_the_actors_own_thread_and_nothing_is_heard_after_it(kinds: tuple[str, str]) -> None:
    for seed in range(SEEDS):
        scene = Scene(seed)
        scene.turns.run(
            scene.loop, *[scene.teller(*told_by(name, word)) for name, word in zip("ab", kinds, strict=True)]
        )
        assert isinstance(scene.death, ArithmeticError), f"seed {seed}"
        assert scene.heard[-1].is_wrong, f"seed {seed}"
        assert sum(told.is_wrong for told in scene.heard) == 1, f"seed {seed}"
