"""The pytest plugin: an item for each requirement, and nothing where nobody asks for it."""

import sys
from collections.abc import Callable

import pytest

from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.design import presets
from jobtck.hunt import Hunt

SUITE = ("-p", "no:cacheprovider", "--pyargs", "jobtck.suite")
AMPLE = "300"  # seconds: the tour takes what it needs, on however busy a machine


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Runs the suite with these options, without long sessions."""
    monkeypatch.setattr(Hunt, "run_machine", lambda *_: None)
    options = ("--jobtck-backend", "reference", "--jobtck-budget", AMPLE, "-rsfx")
    return lambda *more: pytester.runpytest_inprocess(*SUITE, *options, *more)


def test_each_requirement_is_an_item(suite: Callable[..., pytest.RunResult]) -> None:
    outcome = suite("--jobtck-design", "default-job", "-v")
    design = presets()["default-job"]
    left_out = [each.id for each in CATALOGUE if each.provisional or each.needs.missing_in_design(design)]
    outcome.assert_outcomes(passed=len(CATALOGUE) - len(left_out) + 1, skipped=len(left_out))
    told = outcome.stdout.str()
    for requirement in CATALOGUE:
        verdict = "SKIPPED" if requirement.id in left_out else "PASSED"
        assert f"test_requirement[{requirement.id}] {verdict}" in told
    assert "test_capabilities PASSED" in told
    outcome.stdout.fnmatch_lines(["SKIPPED*only in designs where jobs are named by*"])


def test_a_requirement_that_fails_is_named_and_shown(
    suite: Callable[..., pytest.RunResult],
) -> None:
    outcome = suite("--jobtck-design", "recycled-ids", "-k", "STALE-2 or ID-1]")
    outcome.assert_outcomes(passed=1, failed=1)
    text = next(each.text for each in CATALOGUE if each.id == "STALE-2")
    outcome.stdout.fnmatch_lines(
        [
            f"STALE-2 (MUST): {text}",
            "reproduced 3 of 3*",
            "*a = backup_begin(*) -> id 1",
            "> backup_end(a*) -> *",
        ]
    )
    assert "Traceback" not in outcome.stdout.str()


def test_a_listed_deviation_that_is_gone_fails_its_requirement(
    suite: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    file = pytester.path / "known.toml"
    file.write_text(
        '[[known]]\nrequirement = "END-6"\ndemand = "a success carries no error message"\n'
        'call = "get_job_stats"\nanswer = "backup: success, with an error message"\n'
        'backend = "reference"\nversions = ">=0"\n'
        'reason = "it lies"\nreference = "issue 7"\n'
    )
    outcome = suite("--jobtck-design", "default-job", "--jobtck-known", str(file), "-k", "END-6 or BEGIN-2")
    outcome.assert_outcomes(passed=1, failed=1)
    outcome.stdout.fnmatch_lines(["listed, and no longer seen: it lies (issue 7)"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--jobtck-design", "zero"], "jobtck: no design 'zero': give one of *"),
        (["--jobtck-backend", "qemu"], "jobtck: no backend 'qemu': there are *"),
        (["--jobtck-known", "nowhere"], "jobtck: nowhere: cannot read the known deviations: *"),
    ],
)
def test_a_mistake_in_the_options_is_told_once(
    options: list[str], told: str, suite: Callable[..., pytest.RunResult]
) -> None:
    outcome = suite(*options)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stdout.fnmatch_lines([f"*{told}"])
    assert outcome.stdout.str().count("jobtck: no") == 1


def test_an_ordinary_run_of_pytest_loads_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert "jobtck.plugin" in sys.modules
            heavy = {"jobtck.run", "jobtck.hunt", "jobtck.strategies", "hypothesis.stateful"}
            assert not heavy & sys.modules.keys()
            assert not [name for name in sys.modules if name.startswith("jobtck.conformance")]
        """
    )
    outcome = pytester.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    outcome.assert_outcomes(passed=1)
