"""Settings that are texts reach a run as they are typed."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from autosmote.config.schema import Config
from autosmote.config.texts import quote_texts


def read_by_hydra(word, *, several=False):
    (quoted,) = quote_texts([word], Config, several=several)
    value = OverridesParser.create().parse_override(quoted).value()
    return str(value) if type(value).__name__ == "QuotedString" else value


@pytest.mark.parametrize(
    "text",
    ["2024_05", "~/d.csv", "Kündigung", "a b", "a(b)", "a=b", "a,b", "[x]", "{x}", "x: y", "it's",
     "true", "1e3", "c:\\data\\", "x'\\"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["dataset.path", "dataset.target", "results_dir", "data_dir"])
def test_texts_are_taken_as_they_are(key, text):
    assert read_by_hydra(f"{key}={text}") == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_is_taken_as_it_is(text):
    if text == "null" or "${" in text or (len(text) > 1 and text[0] == text[-1] in ("'", '"')):
        return
    assert read_by_hydra(f"dataset.target={text}") == text


def test_what_has_a_meaning_stays():
    words = [
        "dataset.target=null", "dataset.target='a b'", 'dataset.path="x"', "results_dir=${seed}",
        "ir=10", "clf.params.x=[1,2]", "--multirun", "results_dir",
    ]  # fmt: skip
    assert quote_texts(words, Config, several=False) == words
    assert quote_texts(["dataset.target=a,b"], Config, several=True) == ["dataset.target=a,b"]
    assert quote_texts(["+results_dir=a b"], Config, several=True) == ["+results_dir='a b'"]


def test_other_texts_are_quoted_where_they_look_like_numbers():
    words = ["dataset.name=1e3", "dataset.name=a(b)", "search.device=true", "seed=1_0"]
    expected = ["dataset.name='1e3'", "dataset.name=a(b)", "search.device='true'", "seed=1_0"]
    assert quote_texts(words, Config, several=False) == expected
