import io
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from strategy.progress import Standing, progress_on, share_done
from tests.strategy.support import OPEN, later
from tests.strategy.test_report import Terminal

NEW_YORK = ZoneInfo("America/New_York")
ENDS = OPEN + timedelta(hours=6.5)


def test_a_pipe_gets_a_line_every_tenth() -> None:
    stream = io.StringIO()
    progress = progress_on(stream, starts=OPEN, ends=ENDS, zone=NEW_YORK)
    for minute in range(391):
        progress.show(Standing(at=later(minute * 60), orders=minute // 10, fills=3, pnl={"USD": Decimal("-12.5")}))
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == " 10 %  10:09:00  3 orders  3 fills  P&L -12.50 USD"
    assert lines[-1].startswith("100 %  16:00:00")


def test_a_jump_over_several_tenths_is_one_line() -> None:
    stream = io.StringIO()
    progress = progress_on(stream, starts=OPEN, ends=ENDS, zone=NEW_YORK)
    progress.show(Standing(at=later(3 * 3600)))
    progress.show(Standing(at=later(3 * 3600 + 60)))
    assert len(stream.getvalue().splitlines()) == 1


def test_a_terminal_gets_a_bar_and_lines_above_it() -> None:
    stream = Terminal()
    progress = progress_on(stream, starts=OPEN, ends=ENDS, zone=NEW_YORK)
    progress.show(Standing(at=later(3 * 3600), orders=7))
    progress.line("a line [not markup]")
    progress.close()
    assert "a line [not markup]" in stream.getvalue()
    assert "7 orders" in stream.getvalue()


def test_the_share_stays_between_0_and_1() -> None:
    assert share_done(later(-5), starts=OPEN, ends=ENDS) == 0.0
    assert share_done(ENDS + timedelta(days=1), starts=OPEN, ends=ENDS) == 1.0
    assert share_done(OPEN, starts=OPEN, ends=OPEN) == 1.0
