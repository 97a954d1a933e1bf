"""Headlines say what came out, on records of known differences."""

import re

import pytest
from made_up_scores import give_scores

from autosmote.reports import names
from autosmote.reports.report import build_report

SMALL = {
    "arms": ["none", "smote", "svmsmote", "autosmote"],
    "datasets": ["phoneme", "mozilla4"],
    "irs": [20, 50],
    "seeds": 2,
}
ABLATIONS = {"arms": ["autosmote", *names.ABLATIONS], "datasets": ["mozilla4"], "seeds": 2}


def headline(folder, experiment):
    return build_report(folder, experiment, "paper").headline


def test_table2_says_places_on_the_judged_test_and_what_the_search_is_worth(make_sweep, tmp_path):
    gains = {"autosmote": 0.2, "smote": 0.1, "smote_search": 0.1, "randomsearch": 0.2}
    turned = gains | {"svmsmote": 0.3}
    beside = ["smote_search", "randomsearch"]
    change = give_scores(gains, extended=turned)
    make_sweep(**SMALL, beside=beside, extended=True, change=change)
    assert headline(tmp_path, "table2") == (
        "On the extended test, over 16 configurations, AutoSMOTE is number 2 of 4 by Macro-F1 "
        "(average rank 2.00, SVMSMOTE 1.00) and number 2 of 4 by MCC (average rank 2.00, "
        "SVMSMOTE 1.00); in the paper it is first. To arms that train as many classifiers it "
        "is better than SMOTE search, not shown to differ from Random search in its space (by "
        "Macro-F1 and MCC)."
    )


def test_table2_without_controls_says_that_nothing_tells_search_from_budget(make_sweep, tmp_path):
    make_sweep(**SMALL, change=give_scores({"autosmote": 0.2, "smote": 0.1}))
    text = headline(tmp_path, "table2")
    assert "On the test part, over 16 configurations, AutoSMOTE is number 1 of 4" in text
    assert "(average rank 1.00, SMOTE 2.00)" in text
    assert text.endswith("so nothing tells its search from its budget.")


def test_table4_says_which_parts_help(make_sweep, tmp_path):
    gains = dict.fromkeys(["autosmote", *names.ABLATIONS], 0.1)
    gains |= {"random_search": 0.2, "flat": 0.0}
    make_sweep("table4", **ABLATIONS, change=give_scores(gains))
    assert headline(tmp_path, "table4") == (
        "On the test part, over 12 configurations, AutoSMOTE is better than Flat policy, worse "
        "than Random search, not shown to differ from w/o cross-instance sub-policy, w/o "
        "instance-specific sub-policy, w/o low-level policy and Merging training and validation "
        "sets (by Macro-F1 and MCC)."
    )


def test_metrics_that_differ_are_told_apart(make_sweep, tmp_path):
    def change(record):
        gain = 0.1 if record["metric"] == "mcc" else -0.1
        return give_scores({"autosmote": 0.2, "flat": 0.2 + gain})(record)

    make_sweep(
        "table4", arms=["autosmote", "flat"], datasets=["mozilla4"], seeds=2, change=change
    )  # fmt: skip
    assert headline(tmp_path, "table4").endswith(
        "AutoSMOTE is by Macro-F1 better than Flat policy; by MCC worse than Flat policy."
    )


def test_figure6_counts_the_values_that_are_worse(make_sweep, tmp_path):
    arms = ["K=1", "K=30", "G2=2", "G2=10", "G2=40"]
    gains = {"K=30": 0.1, "G2=10": 0.1, "G2=2": 0.1, "G2=40": 0.2}
    make_sweep("figure6", arms=arms, datasets=["mozilla4"], seeds=2, change=give_scores(gains))
    text = headline(tmp_path, "figure6")
    assert text.endswith(
        "1 of 3 are worse here by Macro-F1 and 1 better; 1 of 3 are worse here by MCC and 1 better."
    )


@pytest.mark.parametrize("experiment", ["figure6", "table4"])
def test_few_configurations_say_so(make_sweep, tmp_path, experiment):
    arms = {"figure6": ["K=1", "K=30"], "table4": ["autosmote", "flat"]}[experiment]
    make_sweep(experiment, arms=arms, datasets=["toy"], irs=[None], seeds=1)
    text = headline(tmp_path, experiment)
    assert "over 4 configurations" in text
    assert "nothing can be concluded, as an interval needs 5 configurations" in text


def test_figure5_says_which_search_ends_first(make_sweep, tmp_path):
    make_sweep(
        "figure5", arms=["random_search", "autosmote"], datasets=["mozilla4"], irs=[50],
        clfs=["svm"], seeds=2, n_iterations=8,
    )  # fmt: skip
    text = headline(tmp_path, "figure5")
    assert "after 8 iterations AutoSMOTE is number" in text and "n = 2, 1 configuration" in text
    assert not re.search(r"\d\.\d{3}", text)


def test_experiments_without_a_headline_begin_with_their_first_sentence(make_sweep, tmp_path):
    make_sweep("other", arms=["none", "smote"], datasets=["toy"], irs=[None], seeds=1)
    report = build_report(tmp_path, "other", "paper")
    assert report.headline == report.findings[0]
