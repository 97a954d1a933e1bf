"""Progress: a bar on a terminal, log lines elsewhere."""

import io
import re

from autosmote.progress import Progress, StepProgress, UnitProgress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_bar_on_a_terminal():
    stream = Terminal()
    with Progress(10, "mcc", stream) as progress:
        for iteration in range(1, 11):
            progress.update(iteration, 0.1, iteration / 10)
    text = stream.getvalue()
    assert "10/10" in text and "it/s" in text and "best mcc 1.0000" in text


def test_progress_is_quiet_elsewhere(caplog):
    stream = io.StringIO()
    with caplog.at_level("INFO", logger="autosmote"), Progress(1000, "mcc", stream) as progress:
        for iteration in range(1, 1001):
            progress.update(iteration, 0.1, 0.5)
    assert stream.getvalue() == ""
    assert len(caplog.records) == 10
    assert caplog.messages[-1].startswith("search: 1000/1000 iterations, best validation mcc 0.5")


def test_units_are_a_bar_on_a_terminal_with_a_search_below():
    stream = Terminal()
    with UnitProgress(3, stream=stream) as progress:
        for name in ("none", "autosmote", "smote"):
            progress.begin(name)
            if name == "autosmote":
                with Progress(5, "mcc", stream) as search:
                    for iteration in range(1, 6):
                        search.update(iteration, 0.1, 0.5)
            progress.end(name, failed=name == "smote")
    text = stream.getvalue()
    for part in ("3/3", "autosmote", "search:", "1 failed]"):
        assert part in text


def test_units_are_quiet_elsewhere(caplog):
    stream = io.StringIO()
    with caplog.at_level("INFO", logger="autosmote"), UnitProgress(40, stream=stream) as progress:
        for number in range(40):
            progress.begin(str(number))
            progress.end(str(number), failed=number < 2)
    assert stream.getvalue() == ""
    assert len(caplog.records) == 10
    assert re.fullmatch(
        r"samplers: 4/40 done, 2 failed, 36 left, about \d+ s to go", caplog.messages[0]
    )
    assert caplog.messages[-1] == "samplers: 40/40 done, 2 failed, 0 left"


def test_the_time_to_go_counts_what_units_at_work_have_behind_them(caplog, monkeypatch):
    now = 0.0
    monkeypatch.setattr("autosmote.progress.time.monotonic", lambda: now)
    with (
        caplog.at_level("INFO", logger="autosmote"),
        UnitProgress(4, what="units", expected=400, stream=io.StringIO()) as progress,
    ):
        for name in ("a", "b"):
            progress.begin(name, 100)
        now = 60.0
        progress.end("a", failed=False)
    # A hundred seconds were sixty. Of two and the rest of b, 120 s are left; two are at work.
    assert caplog.messages == ["units: 1/4 done, 0 failed, 3 left, about 60 s to go"]


def test_steps_are_a_bar_on_a_terminal_with_the_last_ones_name():
    stream = Terminal()
    with StepProgress(3, "fits", stream) as progress:
        progress.update(2, "SMOTE")
    assert "2/3" in stream.getvalue() and "SMOTE" in stream.getvalue()


def test_steps_are_ten_lines_elsewhere(caplog):
    stream = io.StringIO()
    with caplog.at_level("INFO", logger="autosmote"), StepProgress(40, "fits", stream) as progress:
        for done in range(1, 41):
            progress.update(done, "SMOTE")
    assert len(caplog.records) == 10 and not stream.getvalue()
    assert re.fullmatch(r"fits: 4/40 done, about \d+ s to go", caplog.messages[0])
    assert caplog.messages[-1] == "fits: 40/40 done"
