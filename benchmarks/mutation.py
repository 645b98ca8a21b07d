"""Do the tests notice when the code is wrong? ``python -m benchmarks.mutation [target ...]`` (needs ``fork``).

Each mutant changes one place inside one function: a comparison, a boolean, an operator, a constant, a condition, a
returned value, or a call that is left out. The tests of the target run in a forked child on the changed code object,
so a mutant costs the tests and nothing else. Module-level data and default values are not mutated.
"""

import ast
import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import attrs
import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_MUTANT = 60
_CORE_TESTS = (
    "tests/actors/domain/test_order.py",
    "tests/actors/domain/test_hearing.py",
    "tests/actors/domain/test_requests.py",
    "tests/actors/domain/test_reconciling.py",
    "tests/actors/domain/test_desk.py",
)
TARGETS: dict[str, tuple[str, ...]] = {
    "actors.domain.order": _CORE_TESTS,
    "actors.domain.positions": ("tests/actors/domain/test_positions.py", "tests/actors/domain/test_portfolio.py"),
    "actors.domain.portfolio": ("tests/actors/domain/test_portfolio.py",),
    "actors.domain.recovery": ("tests/actors/domain/test_reconciling.py", "tests/actors/domain/test_hearing.py"),
    "actors.domain.reconciling": (
        "tests/actors/domain/test_reconciling.py",
        "tests/actors/domain/test_owed.py",
        "tests/actors/domain/test_requests.py",
        "tests/actors/domain/test_hearing.py",
        "tests/actors/domain/test_submission.py",
    ),
    "ibapi_bridge.notices": ("tests/ibapi_bridge/test_notices.py",),
}

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
}


@attrs.frozen(kw_only=True)
class Mutant:
    """One change: where it is and what it reads like afterwards."""

    function: str
    line: int
    text: str
    tree: ast.Module


def mutants_of(source: str) -> Iterator[Mutant]:
    """All mutants of a module's functions, one after the other."""
    count = len(list(_changes(ast.parse(source))))
    for number in range(count):
        tree = ast.parse(source)
        function, node, change = list(_changes(tree))[number]
        before = ast.unparse(node)
        change()
        text = f"{_short(before)}  ->  {_short(ast.unparse(node))}"
        yield Mutant(function=function, line=getattr(node, "lineno", 0), text=text, tree=tree)


def _short(text: str) -> str:
    return " ".join(text.split())[:110]


def _changes(tree: ast.Module) -> Iterator[tuple[str, ast.AST, Callable[[], None]]]:
    """(function, statement or expression to show, how to change it) for every place, in a fixed order."""
    for name, function in _functions(tree, ""):
        for statement in function.body[1:] if ast.get_docstring(function) else function.body:
            for node in _executed(statement):
                for shown, change in _changes_of(node):
                    yield name, shown, change


def _executed(statement: ast.AST) -> Iterator[ast.AST]:
    """Everything in a statement but annotations of variables, which no function ever evaluates."""
    waiting = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if child is not getattr(node, "annotation", None)]


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            yield f"{prefix}{child.name}", child


def _changes_of(node: ast.AST) -> Iterator[tuple[ast.AST, Callable[[], None]]]:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                other = _COMPARISONS[type(operator)]()
                yield node, _replacing(node.ops, index, other)
        case ast.BoolOp():
            yield node, _setting(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.BinOp() if type(node.op) in _OPERATORS:
            yield node, _setting(node, "op", _OPERATORS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield node, _setting(node, "operand", ast.UnaryOp(op=ast.Not(), operand=node.operand))
        case ast.UnaryOp(op=ast.USub()):
            yield node, _setting(node, "op", ast.UAdd())
        case ast.Constant():
            yield from _constant_changes(node)
        case ast.If() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield node.test, _setting(node, "test", ast.UnaryOp(op=ast.Not(), operand=node.test))
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield node, _setting(node, "value", ast.Constant(value=None))
        case _:
            yield from _left_out(node)


def _constant_changes(node: ast.Constant) -> Iterator[tuple[ast.AST, Callable[[], None]]]:
    if isinstance(node.value, bool):
        yield node, _setting(node, "value", not node.value)
    elif isinstance(node.value, int | float):
        yield node, _setting(node, "value", node.value + 1)
    elif node.value is None:
        yield node, _setting(node, "value", 1)


def _left_out(node: ast.AST) -> Iterator[tuple[ast.AST, Callable[[], None]]]:
    """Statements that act (calls, assignments in place, deletions) are left out."""
    for name in ("body", "orelse"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            for index, statement in enumerate(block):
                called = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
                if called and ast.unparse(statement).startswith("assert_never"):
                    continue
                if called or isinstance(statement, ast.AugAssign | ast.Delete):
                    yield statement, _replacing(block, index, ast.Pass())


def _setting(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _replacing(values: list[Any], index: int, value: object) -> Callable[[], None]:
    return lambda: values.__setitem__(index, value)


# --- running -------------------------------------------------------------------------------------------------------


def swap(module: ModuleType, mutant: Mutant) -> None:
    """Give the living function the changed code; whoever imported it by name runs it too."""
    compiled = compile(ast.fix_missing_locations(mutant.tree), str(module.__file__), "exec")
    function = _function_at(module, mutant.function)
    function.__code__ = next(code for code in _codes(compiled) if code.co_qualname == mutant.function)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function_at(module: ModuleType, path: str) -> FunctionType:
    found: Any = module
    for name in path.split("."):
        found = found.__dict__[name]
    found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
    if not isinstance(found, FunctionType):
        raise TypeError(f"{path} is no function")
    return found


class Mutation:
    """A pytest plugin: collects the tests once and runs them for every mutant in a forked child, quick ones first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module = importlib.import_module(name)
        self.survivors: list[Mutant] = []
        self.count = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        seconds: dict[str, float] = {}
        for item in session.items:
            reports = runtestprotocol(item, log=False)
            if any(report.failed for report in reports):
                raise SystemExit(f"{item.nodeid} fails without any mutant")
            seconds[item.nodeid] = sum(report.duration for report in reports)
        items = sorted(session.items, key=lambda item: seconds[item.nodeid])
        for mutant in mutants_of(Path(str(self._module.__file__)).read_text(encoding="utf-8")):
            self.count += 1
            if self._survives(mutant, items):
                self.survivors.append(mutant)
        return True

    def _survives(self, mutant: Mutant, items: list[pytest.Item]) -> bool:
        """Whether all tests pass in a child of their own; one that hangs is ended and counts as noticed."""
        child = os.fork()
        if child == 0:
            noticed = True
            try:
                signal.alarm(SECONDS_PER_MUTANT)
                swap(self._module, mutant)
                noticed = any(report.failed for item in items for report in runtestprotocol(item, log=False))
            finally:
                os._exit(1 if noticed else 0)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0


def main(names: list[str]) -> int:
    """Print the survivors of each target and its score."""
    os.environ.setdefault("HYPOTHESIS_PROFILE", "dev")
    for name in names or list(TARGETS):
        mutation = Mutation(name)
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main(["-q", "-p", "no:cacheprovider", *TARGETS[name]], plugins=[mutation])
        for mutant in mutation.survivors:
            print(f"  {name.rpartition('.')[2]}.{mutant.function}:{mutant.line}: {mutant.text}")
        noticed = mutation.count - len(mutation.survivors)
        print(f"{name}: {noticed} of {mutation.count} noticed, {100 * noticed / mutation.count:.1f} %", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
