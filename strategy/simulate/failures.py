"""Failures kept in a directory: the plan, the story, a test and a capture, to be played first the next time."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import attrs

from strategy.errors import UserError
from strategy.simulate.plan import Plan
from strategy.simulate.properties import Violation
from strategy.simulate.session import Spoken, overheard
from strategy.simulate.subject import Subject

SaveCapture = Callable[[Path, Sequence[Spoken]], None]
"""Writes what went over the line in the broker's own words."""

_TEST = '''"""{property} broke here; written by ``run.py simulate``.

{story}"""

from strategy.simulate import Demands, Plan, check

PLAN = Plan.from_json(
    """
{plan}
"""
)


def test_{function}() -> None:
    check({strategy!r}, plan=PLAN, parameters={parameters!r}, demands={demands})
'''


@attrs.frozen(kw_only=True)
class Kept:
    """A failure that was kept."""

    path: Path
    property: str
    plan: Plan


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
        return str(record["strategy"]), Kept(path=path, property=str(record["property"]), plan=plan)
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
    record = {"strategy": subject.name, "property": violation.name, "plan": json.loads(plan.to_json())}
    path = directory / f"{name}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (directory / f"{name}.txt").write_text(story, encoding="utf-8")
    (directory / f"test_{name}.py").write_text(_test(name, subject, plan, violation, story), encoding="utf-8")
    if save_capture is not None:
        save_capture(directory / f"{name}.capture.jsonl", overheard(plan, subject.setup()))
    return path


def _test(name: str, subject: Subject, plan: Plan, violation: Violation, story: str) -> str:
    changed = {
        field.name: getattr(subject.demands, field.name)
        for field in attrs.fields(type(subject.demands))
        if getattr(subject.demands, field.name) != field.default
    }
    demands = ", ".join(f"{key}={_plain(value)}" for key, value in changed.items())
    return _TEST.format(
        property=violation.name,
        story=story.replace("\\", "\\\\").replace('"""', "'''"),
        plan=plan.to_json(),
        function=name,
        strategy=subject.name,
        parameters=dict(subject.parameters),
        demands=f"Demands({demands})",
    )


def _plain(value: object) -> str:
    return repr(value if isinstance(value, bool | int | float | None) else float(str(value)))
