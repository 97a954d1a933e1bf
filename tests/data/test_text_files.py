"""Separated text: encoding and separator are found out, rows are kept as they are."""

import codecs
import gzip

import pytest

from autosmote.data.text_files import read_text_rows
from autosmote.errors import UserError


def read(tmp_path, content, name="t.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text_rows(path, **options)


@pytest.mark.parametrize(
    ("content", "sep", "said"),
    [
        ("a,b\n1,x\n", ",", ""),
        ("a;b\n1,5;x\n2,5;y\n", ";", "semicolons"),
        ("a\tb\n1, 5\tx\n2\ty, z\n", "\t", "tabs"),
        ("a|b\n1|x\n", "|", "vertical bars"),
        ('"a;x","b"\n"1;2","3"\n', ",", ""),
        ("a\n1\n2\n", ",", ""),
        ("a,b;c,d\n1,2;3,4\n", ",", ""),
    ],
)
def test_separator_is_found_and_said(tmp_path, content, sep, said):
    found = read(tmp_path, content)
    assert found.format.sep == sep
    assert all(said in guess.what and guess.option == "--sep" for guess in found.guesses)
    assert bool(found.guesses) == bool(said)


def test_separator_of_a_long_file_is_found_in_its_beginning(tmp_path):
    rows = [f"{i};{'x,' * (i % 3)}{'y' * 3000}" for i in range(300)]
    assert read(tmp_path, "\n".join(["a;b", *rows])).format.sep == ";"


@pytest.mark.parametrize(
    ("encoding", "mark", "said"),
    [
        ("utf-8", b"", False),
        ("utf-8", codecs.BOM_UTF8, False),
        ("utf-16-le", codecs.BOM_UTF16_LE, True),
        ("utf-16-be", codecs.BOM_UTF16_BE, True),
        ("utf-32-be", codecs.BOM_UTF32_BE, True),
        ("cp1252", b"", True),
    ],
)
def test_encoding_is_found_and_said(tmp_path, encoding, mark, said):
    found = read(tmp_path, mark + "größe,b\n1,ä–€\n".encode(encoding))
    assert found.header == ["größe", "b"] and found.rows == [["1", "ä–€"]]
    assert (found.format.encoding, found.format.mark) == (encoding, mark)
    assert [guess.option for guess in found.guesses] == ["--encoding"] * said


def test_given_encoding_and_separator_are_taken(tmp_path):
    found = read(tmp_path, "a:ж\n1:2\n".encode("cp1251"), sep=":", encoding="cp1251")
    assert found.header == ["a", "ж"] and not found.guesses


@pytest.mark.parametrize(
    ("given", "encoding", "mark"),
    [
        ("utf-8", "utf-8", codecs.BOM_UTF8),
        ("UTF8", "utf-8", codecs.BOM_UTF8),
        ("utf-8-sig", "utf-8", codecs.BOM_UTF8),
        ("utf-8-sig", "utf-8", b""),
        ("utf-16", "utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16", "utf-16-le", b""),
    ],
)
def test_mark_is_no_part_of_the_first_name(tmp_path, given, encoding, mark):
    found = read(tmp_path, mark + "y,x\n1,2\n".encode(encoding), encoding=given)
    assert found.header == ["y", "x"]
    assert (found.format.encoding, found.format.mark) == (encoding, mark)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"a,b\n\x00\xff,1\n", {}, "not text in UTF-8"),
        ("a,ä\n1,2\n", {"encoding": "ascii"}, "not text in ascii"),
        ("a,b\n1,2\n", {"encoding": "latin-99"}, "no encoding 'latin-99'"),
        ("a,b\n1,2\n", {"encoding": "base64"}, "no encoding 'base64'"),
        ("a,b\n1,2\n", {"sep": "::"}, "separator '::' is not valid"),
        ("  \n", {}, "is empty"),
        ("a;b\n1;2\n1;2;3\n", {}, "line 3: 3 values .*semicolons between"),
        ('a,b\n1,"2\n', {}, "line 2: .*quotes"),
    ],
)
def test_faulty_text_is_one_sentence(tmp_path, content, options, words):
    with pytest.raises(UserError, match=words) as caught:
        read(tmp_path, content, **options)
    assert "\n" not in str(caught.value)


def test_rows_keep_their_text(tmp_path):
    text = 'a, b\r\n\r\n"1"," lead"\r\n"x\r\ny",""""\r\n'
    found = read(tmp_path, text)
    assert found.header == ["a", "b"] and found.rows == [["1", " lead"], ["x\r\ny", '"']]
    assert found.raw == ["a, b\r\n\r\n", '"1"," lead"\r\n', '"x\r\ny",""""\r\n']
    assert found.format.line_end == "\r\n"


def test_packed_text_is_unpacked_and_damage_is_one_sentence(tmp_path):
    packed = gzip.compress(b"a,b\n1,2\n")
    assert read(tmp_path, packed, "t.csv.gz").rows == [["1", "2"]]
    for damaged in (packed[:-6], b"a,b\n1,2\n", packed[:12] + b"\xff" * 8 + packed[20:]):
        with pytest.raises(UserError, match="damaged or not packed"):
            read(tmp_path, damaged, "t.csv.gz")
