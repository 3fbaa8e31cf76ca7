"""Designs: the presets are the contract's, a user's own is read, and a wrong one is told where and how."""

from pathlib import Path

import pytest

from jobtck.conformance.design import PARALLEL_MAX, Design, find_design, parse_designs, presets
from jobtck.conformance.errors import BadInput

# The table of the contract; a dash is an axis that the design does not have, n is more than one.
CONTRACT = """
default-job    | none    | -       | 1 | no  | no  | no  | -        | -
zero-id        | integer | current | 1 | no  | no  | no  | per-type | never
listed-ids     | integer | current | n | yes | no  | no  | shared   | never
parallel-ids   | integer | current | n | yes | yes | yes | shared   | never
opaque-handles | opaque  | invalid | n | yes | yes | yes | per-type | never
recycled-ids   | integer | current | n | yes | no  | yes | shared   | after-end
qemu-jobs      | name    | invalid | n | yes | no  | yes | shared   | after-end
"""
GOOD = """
[mine]
handle = "integer"
zero = "invalid"
parallel = 2
listing = true
namespace = "shared"
reuse = "after-end"
"""


def row(design: Design) -> tuple[str, ...]:
    switches = (design.listing, design.default_job, design.block_ids)
    return (
        design.name,
        design.handle,
        design.zero or "-",
        "1" if design.parallel == 1 else "n",
        *("yes" if switch else "no" for switch in switches),
        design.namespace or "-",
        design.reuse or "-",
    )


def complaint(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parse_designs(text, "mine.toml")
    return str(caught.value)


def test_the_presets_are_those_of_the_contract() -> None:
    table = [tuple(map(str.strip, line.split("|"))) for line in CONTRACT.strip().splitlines()]
    assert [row(design) for design in presets().values()] == table
    assert all(design.source for design in presets().values())


def test_a_design_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD)
    expected = ("mine", "integer", "invalid", "n", "yes", "no", "no", "shared", "after-end")
    assert row(find_design(str(file))) == expected
    assert find_design(str(file)).source == f"{file}:2:2"


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("[mine]\nhandle = \n", "2:10", "not TOML: Invalid value"),
        ("[mine", "1:6", "not TOML: Expected ']' at the end of a table declaration"),
        ("[mine]\nhandle = 'none'\nhandle = 'none'", "3:16", "not TOML: Cannot overwrite a value"),
        ("\nmine = 1\n", "2:1", "write [mine] and its axes below"),
        (GOOD + "zeroes = 1\n", "9:1", "no axis 'zeroes': the axes are handle, zero, parallel"),
        (GOOD.replace('"invalid"', "[0]"), "4:1", "zero = [0]: one of 'current', 'invalid'"),
        (GOOD.replace('"integer"', '"int"'), "3:1", "one of 'none', 'integer', 'opaque', 'name'"),
        (GOOD.replace("= 2", "= 0"), "5:1", f"a whole number from 1 to {PARALLEL_MAX}"),
        (GOOD.replace("= 2", "= true"), "5:1", f"a whole number from 1 to {PARALLEL_MAX}"),
        (GOOD.replace("= 2", f"= {PARALLEL_MAX + 1}"), "5:1", "a whole number from 1 to"),
        (GOOD.replace("= true", '= "yes"'), "6:1", "listing = 'yes': write true or false"),
        (GOOD + "source = 7\n", "9:1", "source = 7: write a text"),
        ("# none\n [mine]\nparallel = 1\n", "2:3", "says nothing of 'handle': one of 'none', "),
        ("[mine]\nhandle = 'name'\n", "1:2", "says nothing of 'zero': one of 'current', 'inval"),
        ("[mine]\nhandle = 'none'\nzero = 'current'\n", "3:1", "handle = 'none' has none"),
        ("[mine]\nhandle = 'none'\n  listing = true\n", "3:3", "handle = 'none' has none"),
    ],
)
def test_a_malformed_design_is_told_with_line_and_column(text: str, place: str, advice: str) -> None:
    told = complaint(text)
    assert told.startswith(f"mine.toml:{place}: ")
    assert advice in told


@pytest.mark.parametrize("text", ["a = " + "[" * 9_000, "a = " + "9" * 9_000])
def test_toml_beyond_any_bounds_is_told_in_a_sentence(text: str) -> None:
    assert complaint(text).startswith("mine.toml: not TOML: ")


def test_a_key_is_not_mistaken_for_one_that_begins_alike() -> None:
    text = "[a-b]\nhandle = 'none'\n\n[a]\nhandle = 'nothing'\n"
    assert complaint(text).startswith("mine.toml:5:1: handle = 'nothing'")


@pytest.mark.parametrize(("text", "number"), [("", 0), (GOOD + GOOD.replace("mine", "other"), 2)])
def test_a_file_must_hold_one_design(text: str, number: int, tmp_path: Path) -> None:
    file = tmp_path / "designs.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match=f"holds {number} designs, and exactly one can be judged"):
        find_design(str(file))


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.toml: cannot read the design: .*No such file"):
        find_design(str(tmp_path / "nowhere.toml"))
    with pytest.raises(BadInput, match=r"cannot read the design: .*Is a directory"):
        (tmp_path / "folder.toml").mkdir()
        find_design(str(tmp_path / "folder.toml"))
    with pytest.raises(BadInput, match=r"cannot read the design: .*can't decode byte 0xff"):
        (tmp_path / "latin.toml").write_bytes(b"\xff")
        find_design(str(tmp_path / "latin.toml"))


def test_a_name_that_is_no_design_is_told_with_those_that_are() -> None:
    with pytest.raises(BadInput, match=r"no design 'zero': give one of default-job, .* or a \.toml"):
        find_design("zero")
