"""`jobtck designs`, from the command line to the files that it writes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree as ET

import pytest
from tests.conftest import validator

from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.exploration import Answer, DesignRecord, DesignsRecord, Observed
from jobtck.conformance.hazard_catalogue import HAZARDS
from jobtck.conformance.hazard_files import parse_hazards
from jobtck.conformance.hazards import World
from jobtck.conformance.histories import Hit, Moment, Verb
from jobtck.observe import REFERENCE, with_observations
from jobtck.reports.designs_html import designs_html
from jobtck.reports.designs_json import designs_json
from jobtck.reports.sequence_diagram import sequence_svg
from jobtck.reports.sequence_steps import witness_picture
from jobtck.strategies.board import Bounds
from jobtck.strategies.costs import costs
from jobtck.strategies.survey import explore, extents, findings, worlds

Command = Callable[..., CompletedProcess[str]]

MINE = """
[mine]
handle = "opaque"
zero = "invalid"
parallel = 2
listing = true
namespace = "shared"
reuse = "after-end"
source = "a test"
"""
HAZARD = """
[end-of-the-dead]
text = "An end meant for a job that is over is refused."
verb = "end"
meant = "over"
refused = ["no-such-job", "wrong-type"]
"""


@pytest.fixture(scope="module")
def record() -> DesignsRecord:
    designs = []
    for design in presets().values():
        explorers = worlds(design, Bounds(depth=5), HAZARDS)
        explore(explorers, lambda _: "")
        found = findings(design, explorers, HAZARDS)
        designs.append(DesignRecord(design, extents(explorers), found, costs(design)))
    return with_observations(DesignsRecord(tuple(designs), HAZARDS, "jobtck designs"), [REFERENCE], Options())


def test_every_witness_replays_on_the_reference(record: DesignsRecord) -> None:
    witnesses = [found.witness for design in record.designs for found in design.findings if found.witness]
    assert len(witnesses) > 60
    assert [w.lines for w in witnesses if [seen.observed for seen in w.observations] != [Observed.YES]] == []


def test_the_json_fits_its_schema(record: DesignsRecord) -> None:
    content = json.loads(json.dumps(designs_json(record)))
    validator("jobtck.reports", "designs.schema.json").validate(content)
    assert [each["design"]["name"] for each in content["designs"]] == list(presets())


def test_the_page_is_a_function_of_the_record_and_escapes_what_others_wrote(record: DesignsRecord) -> None:
    first = replace(record.designs[1], design=replace(record.designs[1].design, source="<script>alert(1)</script>"))
    page = designs_html(replace(record, designs=(first,)))
    assert page == designs_html(replace(record, designs=(first,)))
    assert page.count("<script") == 1
    assert 'href="#zero-id--zero-end"' in page
    assert 'id="zero-id--zero-end"' in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_pictures_are_well_formed_and_draw_every_call(record: DesignsRecord) -> None:
    for design in record.designs:
        for found in design.findings:
            if found.witness is None:
                continue
            root = ET.fromstring(sequence_svg(witness_picture(found.witness, "a title")))  # noqa: S314
            paths = [each for each in root.iter("{http://www.w3.org/2000/svg}path") if "call" in each.get("class", "")]
            by_clients = [line for line in found.witness.lines if line.call is not None and line.client is not None]
            assert len(paths) == len(by_clients)


def test_the_mails_overhead_of_opaque_handles_is_counted(record: DesignsRecord) -> None:
    two_processes = {
        each.design.name: next(cost for cost in each.costs if "two processes" in cost.workflow)
        for each in record.designs
    }
    assert (two_processes["zero-id"].calls, two_processes["zero-id"].round_trips) == (2, 2)
    assert (two_processes["opaque-handles"].calls, two_processes["opaque-handles"].round_trips) == (6, 2)


def test_a_design_of_ones_own_gets_its_table_and_witnesses(jobtck: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    ran = jobtck("designs", "mine.toml", "--depth", "5", "--json", "out/mine.json", "--html", "out/mine.html")
    assert ran.returncode == 0, ran.stderr
    assert "handle-leak" in ran.stdout
    assert "client 1  backup_begin(vda)" in ran.stdout
    assert json.loads((tmp_path / "out/mine.json").read_text())["designs"][0]["complete"]
    assert (tmp_path / "out/mine.html").read_text().startswith("<!doctype html>")


def test_a_limit_is_told_and_ends_in_three(jobtck: Command) -> None:
    ran = jobtck("designs", "opaque-handles", "--states", "100")
    assert ran.returncode == 3
    assert "not explored to the end: the limit of 100 states" in ran.stdout


def test_what_was_saved_goes_on(jobtck: Command, tmp_path: Path) -> None:
    short = jobtck("designs", "opaque-handles", "--depth", "6", "--states", "5000", "--save", "so-far")
    assert short.returncode == 3
    whole = jobtck("designs", "opaque-handles", "--depth", "6", "--save", "so-far", "--json", "a.json")
    again = jobtck("designs", "opaque-handles", "--depth", "6", "--json", "b.json")
    assert (whole.returncode, again.returncode) == (0, 0)
    one, other = (json.loads((tmp_path / name).read_text())["designs"][0] for name in ("a.json", "b.json"))
    assert one["findings"] == other["findings"]
    assert [each["states"] for each in one["explored"]] == [each["states"] for each in other["explored"]]
    wrong = jobtck("designs", "opaque-handles", "--depth", "5", "--save", "so-far")
    assert (wrong.returncode, "within other bounds" in wrong.stderr) == (2, True)
    (tmp_path / "so-far").write_bytes(b"nothing")
    damaged = jobtck("designs", "opaque-handles", "--depth", "6", "--save", "so-far")
    assert (damaged.returncode, "no exploration" in damaged.stderr) == (2, True)


def test_a_witness_is_a_trace_that_replays(jobtck: Command, tmp_path: Path) -> None:
    assert jobtck("designs", "zero-id", "--depth", "5", "--witnesses", "traces").returncode == 0
    ran = jobtck("replay", "traces/zero-id-zero-end.json")
    assert (ran.returncode, "zero-end: observed" in ran.stdout) == (1, True), ran.stdout + ran.stderr
    assert (tmp_path / "traces/zero-id-zero-end.svg").read_text().startswith("<svg")
    path = tmp_path / "traces/zero-id-zero-end.json"
    content = json.loads(path.read_text())
    content["refused"][-1] = True
    path.write_text(json.dumps(content))
    assert jobtck("replay", str(path)).returncode == 3


def test_hazards_of_ones_own_in_toml_and_python(jobtck: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(HAZARD)
    (tmp_path / "mine.py").write_text(
        "from jobtck.conformance.hazards import Hazard\n"
        "HAZARDS = [Hazard(id='any-list', text='A list.', source='me', when=lambda moment: moment.verb == 'list')]\n"
    )
    ran = jobtck(
        "designs", "listed-ids", "--depth", "4", "--hazards", "mine.toml", "--hazards", "mine.py", "--json", "a.json"
    )
    assert ran.returncode == 0, ran.stderr
    found = {each["hazard"]: each for each in json.loads((tmp_path / "a.json").read_text())["designs"][0]["findings"]}
    assert found["end-of-the-dead"]["answer"] == Answer.PRESENT
    assert len(found["any-list"]["witness"]["steps"]) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no hazard"),
        ("a = 1", "hazards.toml:1:1: 'a' is no table"),
        ("[a]\nverb = 'end'", "needs a text"),
        ("[a]\ntext = 'x.'", "says nothing of what it is like"),
        ("[a]\ntext = 'x.'\nverb = 'kill'", "hazards.toml:3:1: verb = 'kill': one of begin, end"),
        ("[a]\ntext = 'x.'\nvreb = 'end'", "hazards.toml:3:1: no axis 'vreb'"),
        ("[a]\ntext = 'x.'\nfits = 'yes'", "write true or false"),
        ("[a]\ntext = 'x.'\nown = -1", "write a whole number"),
        ("[a]\ntext = 'x.'\nrefused = 'never'", "one of not, no-such-job"),
        ("[a]\ntext = 'x.'\nworld = 'mars'", "one of as-is, future, domains"),
        ("[a]\ntext = 1", "write a text"),
        ("[a", "not TOML"),
    ],
)
def test_a_mistake_in_hazards_is_told_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_hazards(text, "hazards.toml")
    assert complaint in str(caught.value)


def test_a_hazard_in_toml_is_the_moments_it_says() -> None:
    hazard = parse_hazards("[a]\ntext='x.'\nworld='future'\nhit=['another']\nrefused='not'\nbackups=[2, 3]", "here")[0]
    assert hazard.world is World.FUTURE
    assert hazard.when(Moment(Verb.END, hit=Hit.ANOTHER, backups=2))
    assert not hazard.when(Moment(Verb.END, hit=Hit.ANOTHER, backups=1))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no-such"], "no design 'no-such': give one of default-job"),
        (["missing.toml"], "cannot read the designs"),
        (["zero-id", "--hazards", "missing.toml"], "cannot read the hazards"),
        (["zero-id", "--hazards", "broken.py"], "broken.py: cannot be run: ZeroDivisionError"),
        (["zero-id", "--hazards", "empty.py"], "HAZARDS is no list"),
        (["zero-id", "--hazards", "again.toml"], "there is a hazard 'zero-end' already"),
    ],
)
def test_bad_input_is_one_sentence(jobtck: Command, tmp_path: Path, arguments: list[str], complaint: str) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "empty.py").write_text("HAZARDS = []\n")
    (tmp_path / "again.toml").write_text("[zero-end]\ntext = 'x.'\nverb = 'end'\n")
    ran = jobtck("designs", *arguments, "--depth", "2")
    assert ran.returncode == 2
    assert complaint in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.real
@pytest.mark.xdist_group("libvirt")
def test_hazards_of_the_drawing_board_are_observed_on_real_libvirt(jobtck: Command, tmp_path: Path) -> None:
    ran = jobtck("designs", "zero-id", "--depth", "5", "--real", "--json", "a.json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads((tmp_path / "a.json").read_text())["designs"][0]["findings"]
    seen = {
        each["hazard"]: {one["backend"]: one["observed"] for one in each["witness"]["observations"]}
        for each in found
        if each["witness"] is not None
    }
    for hazard in ("zero-end", "zero-query", "window-disk-act", "domain-mixed-up"):
        assert seen[hazard] == {"reference": "observed", "numbered": "observed"}
    assert seen["future-zero"]["numbered"] == "not to be had"
