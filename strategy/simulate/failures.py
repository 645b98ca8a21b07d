"""Failures kept in a directory: the plan, the story, a test and a capture, to be played first the next time."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from strategy.errors import UserError
from strategy.simulate.plan import Plan
from strategy.simulate.properties import Demands, Violation
from strategy.simulate.session import Spoken, overheard
from strategy.simulate.subject import Subject

SaveCapture = Callable[[Path, Sequence[Spoken]], None]
"""Writes what went over the line in the broker's own words."""

_TEST = '''"""{property} broke here; written by ``run.py simulate``.

{story}"""

{imports}from strategy.simulate import Demands, Plan, check

PLAN = Plan.from_json(
    """
{plan}
"""
)


def test_{function}() -> None:
    check({strategy!r}, plan=PLAN, parameters={parameters!r}, demands=Demands({demands}){config})
'''


@attrs.frozen(kw_only=True)
class Kept:
    """A failure that was kept, and under which demands and parameters it broke."""

    path: Path
    property: str
    plan: Plan
    demands: Demands
    parameters: Mapping[str, Any]

    def subject(self, now: Subject) -> Subject:
        """Whom to play it for: the strategy and configuration of now, with the demands and parameters of then."""
        return attrs.evolve(now, demands=self.demands, parameters=self.parameters)


def kept_in(directory: Path, subject: Subject) -> tuple[Kept, ...]:
    """The failures kept of this strategy, by name.

    Raises:
        UserError: a file in the directory is none of ours.
    """
    found = (_read(path) for path in sorted(directory.glob("*.json")))
    return tuple(kept for strategy, kept in found if strategy == subject.name)


def _read(path: Path) -> tuple[str, Kept]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        plan = Plan.from_json(json.dumps(record["plan"]))
        kept = Kept(
            path=path,
            property=str(record["property"]),
            plan=plan,
            demands=Demands(**record["demands"]),
            parameters=dict(record["parameters"]),
        )
        return str(record["strategy"]), kept
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no failure kept by run.py simulate: {error}") from None


def keep(  # noqa: PLR0913 - what a failure consists of
    directory: Path, *, subject: Subject, plan: Plan, violation: Violation, story: str, save_capture: SaveCapture | None
) -> Path:
    """Write a failure's files; the same failure has the same names.

    Returns:
        The JSON file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    mark = sha256(f"{subject.name}{plan.to_json()}".encode()).hexdigest()[:8]
    name = f"{violation.name}_{mark}"
    record = {
        "strategy": subject.name,
        "property": violation.name,
        "demands": _changed(subject.demands),
        "parameters": {key: _plain(value) for key, value in subject.parameters.items()},
        "plan": json.loads(plan.to_json()),
    }
    path = directory / f"{name}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (directory / f"{name}.txt").write_text(story, encoding="utf-8")
    (directory / f"test_{name}.py").write_text(_test(name, subject, plan, violation, story), encoding="utf-8")
    if save_capture is not None:
        save_capture(directory / f"{name}.capture.jsonl", overheard(plan, subject.setup()))
    return path


def _test(name: str, subject: Subject, plan: Plan, violation: Violation, story: str) -> str:
    demands = ", ".join(f"{key}={value!r}" for key, value in _changed(subject.demands).items())
    imports = config = ""
    if subject.config_path:
        imports = "from pathlib import Path\n\nfrom strategy.config import load_config\n"
        config = f", config=load_config(Path({subject.config_path!r}))"
    return _TEST.format(
        property=violation.name,
        story=story.replace("\\", "\\\\").replace('"""', "'''"),
        plan=plan.to_json(),
        function=name,
        strategy=subject.name,
        parameters={key: _plain(value) for key, value in subject.parameters.items()},
        demands=demands,
        imports=imports,
        config=config,
    )


def _changed(demands: Demands) -> dict[str, Any]:
    """What differs from the defaults."""
    return {
        field.name: _plain(getattr(demands, field.name))
        for field in attrs.fields(Demands)
        if getattr(demands, field.name) != field.default
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - a number, text, true, false or None
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
