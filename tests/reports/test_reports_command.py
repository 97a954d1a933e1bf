"""The command `python -m autosmote.reports`."""

import pytest

from autosmote.reports import __main__ as command


def test_command_refuses_missing_cells_unless_allowed(make_sweep, tmp_path, capsys):
    def leave_one_out(record):
        is_one = (record["sampler"], record["clf"], record["metric"]) == ("smote", "dt", "mcc")
        return None if is_one and record["seed"] == 1 else record

    arms = ["none", "smote"]
    make_sweep(arms=arms, datasets=["phoneme"], irs=[20], seeds=2, change=leave_one_out)
    where = f"results_dir={tmp_path}"
    assert command.main([where, "experiment=table2", "budget=paper"]) == 2
    assert "1 of 32 cells" in capsys.readouterr().err
    assert command.main([where, "experiment=table2", "allow_missing=true"]) == 0
    assert str(tmp_path / "table2" / "tables" / "paper" / "table2.md") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exp=table2"], "'exp=table2' is no setting"),
        (["table2"], "'table2' is no setting"),
        (["budget=quick"], "needs the experiment"),
        (["experiment=table9"], "no plan of experiment=table9"),
        (["experiment=table9", "budget=quick"], "no results of experiment=table9"),
        (["experiment=table2", "allow_missing=maybe"], "must be true or false"),
        ([], "nothing to report"),
    ],
)
def test_command_says_what_is_wrong_and_exits_2(arguments, message, tmp_path, capsys):
    assert command.main([*arguments, f"results_dir={tmp_path}"]) == 2
    assert message in capsys.readouterr().err


def test_command_help_shows_an_example(capsys):
    assert command.main(["--help"]) == 0
    assert "experiment=table2" in capsys.readouterr().out
