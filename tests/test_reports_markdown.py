"""Markdown: what a comment shows, and that nothing of others is anything but code in it."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from tests.test_reports import CONFORMING, HUGE, NASTY, RECORD, RUNS, a_run, every_run, spoilt

from jobtck.conformance.record import NamedRun, RunRecord
from jobtck.reports.markdown import MARKDOWN_MAX, code, markdown

HOSTILE = (
    "@pwned `x` ``y``",
    "</details></code></summary><script>pwned</script>",
    "[pwned](javascript:pwned)",
    "![pwned](https://pwned.example/x.png)",
    "| pwned | b |\n|---|---|\n",
    "```\n@pwned\n```\n",
    "~~~~~\npwned",
    "\n\n    pwned\n\n<b>pwned</b>",
    "<!-- pwned",
    "https://pwned.example #1 !2 %3 pwned/pwned#4",
    "\\`pwned\\`",
    "`pwned",
    "pwned`",
    "``pwned```",
    "* pwned\n# pwned\n> pwned\n1. pwned",
    "<details open>pwned&lt;",
    NASTY.replace("two", "pwned"),
)
CODE = {"code", "pre"}


class Reader(HTMLParser):
    """The texts of a page inside and outside of code, and the tags it has."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.outside = "", ""
        self.tags: set[str] = set()
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._depth += tag in CODE

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag in CODE

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.inside += data
        else:
            self.outside += data

    def handle_comment(self, data: str) -> None:
        self.outside += data


def text_of(*runs: RunRecord) -> str:
    return markdown([NamedRun(f"run {number}", run) for number, run in enumerate(runs)])


def rendered(text: str) -> Reader:
    """The page that a server makes of it, before it takes out what is not allowed."""
    reader = Reader()
    reader.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
    reader.close()
    return reader


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_a_result_says_is_code(hostile: str) -> None:
    page = rendered(markdown([NamedRun(hostile, a_run(spoilt(hostile), RECORD, error=hostile))] * 2))
    assert "pwned" in page.inside
    assert "pwned" not in page.outside
    assert page.tags <= {"h3", "p", "ul", "li", "code", "pre", "details", "summary"}


@pytest.mark.parametrize("text", ["x", "`", "``", "` `", "a`b", "`a``b`", " a ", "a\\", "", "<b>"])
def test_a_span_of_code_is_the_text(text: str) -> None:
    assert rendered(code(text)).inside == (" ".join(text.split()) or "  ")


@every_run
def test_it_fits_into_a_comment(run: RunRecord) -> None:
    assert len(text_of(run)) <= MARKDOWN_MAX
    assert len(text_of(*[run] * 60)) <= MARKDOWN_MAX


def test_what_does_not_fit_is_counted() -> None:
    told = text_of(*[a_run(spoilt(HUGE))] * 500)
    assert MARKDOWN_MAX // 2 < len(told) <= MARKDOWN_MAX
    assert "parts more, which do not fit into a comment: see the result\n" in told[-200:]


def test_it_says_what_came_of_it() -> None:
    told = text_of(RUNS["one"])
    assert told.startswith("### jobtck: nonconforming\n\n`libvirt 9.0.0 as default-job`: nonconforming\n\n")
    assert "- failed: `END-6`, `SANE-1`\n- not exercised: `TIME-1`\n" in told
    assert "- listed as known, and did not happen: `END-1`\n" in told
    assert "- known deviations: `END-7`\n- deviates from a SHOULD: `TYPE-2`\n" in told
    assert "<summary><code>END-6, SANE-1</code> deviates, flaky: reproduced 2 of 3</summary>" in told


def test_a_deviation_unfolds_to_its_calls() -> None:
    page = rendered(text_of(RUNS["one"]))
    calls = "  a = backup_begin(pull, vda) -> value\n> abort_job() -> refused: internal\n"
    assert f"{calls}      VIR_ERR_INTERNAL_ERROR: internal error: unable to execute QEMU" in page.inside


def test_an_error_is_told() -> None:
    assert "`the run`: `libvirt died`\n" in text_of(RUNS["error later"])
    assert text_of(RUNS["none"]) == "### jobtck: incomplete\n\n`the run`: `nothing was judged`\n"


def test_several_results_are_told_apart() -> None:
    told = text_of(a_run(CONFORMING), a_run(replace(CONFORMING, seed=8)))
    assert "(`run 0`): conforming" in told
    assert "(`run 1`): conforming" in told
