"""Options of conf/ that are read without Hydra: a file that cannot be read is one sentence."""

import pytest

from autosmote.config import groups
from autosmote.config.schema import ClassifierSettings
from autosmote.errors import UserError


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name: caf\xe9", "Line 1 of mine.yaml is not UTF-8 from its byte 10 on; save the file"),
        (b"name: [", "Line 1 of mine.yaml is no YAML: expected the node content"),
        (b"- name", "mine.yaml must hold settings by name, not a list."),
        (b"5", "mine.yaml must hold settings by name"),
        (b"name: [1]", "In mine.yaml: "),
    ],
)
def test_load_group_of_a_file_that_cannot_be_read_is_one_sentence(
    content, says, tmp_path, monkeypatch
):
    monkeypatch.setattr(groups, "CONF_DIR", tmp_path)
    (tmp_path / "clf").mkdir()
    (tmp_path / "clf" / "mine.yaml").write_bytes(content)
    with pytest.raises(UserError) as caught:
        groups.load_group("clf", "mine", ClassifierSettings)
    assert says in str(caught.value) and "\n" not in str(caught.value)
