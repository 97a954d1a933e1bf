"""Flags stand anywhere among settings."""

import pytest

from autosmote.config.flags import flags_first
from autosmote.errors import UserError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("clf=dt --cfg job seed=1", "--cfg job clf=dt seed=1"),
        ("clf=dt -cd a=b ir=5 --resolve", "-cd a=b --resolve clf=dt ir=5"),
        ("clf=dt --config-dir=here ir=5", "--config-dir=here clf=dt ir=5"),
        ("clf=dt --info searchpath ir=5", "--info searchpath clf=dt ir=5"),
        ("clf=dt --info ir=5 ~search.K +a=1", "--info=all clf=dt ir=5 ~search.K +a=1"),
        ("clf=dt ~search.K -i", "--info=all clf=dt ~search.K"),
        ("seed=-1 clf=dt", "seed=-1 clf=dt"),
        ("", ""),
    ],
)
def test_flags_come_first_with_their_values(given, expected):
    assert flags_first(given.split()) == expected.split()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("clf=dt --multirum", "There is no flag --multirum (did you mean --multirun?); settings"),
        ("--nosuch=1 clf=dt", "There is no flag --nosuch; settings"),
        ("-cfg job", "There is no flag -cfg"),
        ("--experimental-rerun=config.pickle", "There is no flag --experimental-rerun; settings"),
    ],
)
def test_unknown_flag_is_refused_in_a_sentence(given, words):
    with pytest.raises(UserError) as refused:
        flags_first(given.split())
    assert str(refused.value).startswith(words)
