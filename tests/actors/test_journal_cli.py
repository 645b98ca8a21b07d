"""Looking into a journal: intact, shown, exported, damaged, missing."""

import argparse
import json
from pathlib import Path

import pytest

from actors.journal import JournalDamaged
from actors.journal_cli import add_arguments, main
from tests.actors.test_journal import cancel, opened


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return main(parser.parse_args(words))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "demo.journal"
    journal = opened(path)
    for number in (1, 2, 3):
        journal.append([cancel(number)])
    journal.close()
    return path


def test_verify_counts_what_is_there_and_hides_the_account(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", str(path)) == 0
    output = capsys.readouterr().out
    assert output.startswith("intact: 3 records, 0 snapshots, strategy demo, account DU*****67\n")
    assert "CancelOrder              3" in output


def test_show_prints_a_line_a_record(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", str(path), "--last", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "3"]
    assert "oms_id=demo-3" in lines[1]


def test_export_prints_json_lines(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", str(path)) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["sequence"], row["kind"], row["message"]["oms_id"]) for row in rows] == [
        (1, "CancelOrder", "demo-1"),
        (2, "CancelOrder", "demo-2"),
        (3, "CancelOrder", "demo-3"),
    ]


def test_a_journal_in_use_can_be_read(path: Path) -> None:
    owner = opened(path)
    assert run("verify", str(path)) == 0
    owner.close()


@pytest.mark.parametrize(
    ("old", "new"), [(b"demo-2", b"demo-7"), (b"= 2 ", b"= 9 "), (b"\n= 1", b" = 1"), (b"CancelOrder", b"Tick")]
)
def test_verify_names_the_damaged_record(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(JournalDamaged, match=r"record [12] is damaged"):
        run("verify", str(path))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalDamaged, match="there is no such file"):
        run("verify", str(tmp_path / "nothing.journal"))


def test_a_file_that_is_no_journal_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 1000, encoding="utf-8")
    with pytest.raises(JournalDamaged, match="this is no journal"):
        run("verify", str(tmp_path / "text"))


def test_an_empty_file_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "demo.journal").touch()
    with pytest.raises(JournalDamaged, match="this is no journal"):
        run("verify", str(tmp_path / "demo.journal"))


@pytest.mark.parametrize("action", ["verify", "show", "export"])
def test_records_missing_at_the_end_are_noticed(path: Path, action: str) -> None:
    text = path.read_bytes()
    path.write_bytes(text[: text.rindex(b"CancelOrder")])
    with pytest.raises(JournalDamaged, match=r"ends at record 2 but 3 were written: the tail is lost"):
        run(action, str(path))


def test_without_a_head_file_there_is_no_promise(path: Path) -> None:
    path.with_suffix(".head").unlink()
    assert run("verify", str(path)) == 0
