"""The pytest plugin: `pytest --pyargs jobtck.suite --jobtck-backend NAME` judges a backend, an item per requirement."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobtck.conformance.record import KnownDeviation, Record, RequirementRecord

RECORD = "jobtck_requirement"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options by which a driver's author says what is judged."""
    group = parser.getgroup("jobtck", "conformance of job-management APIs")
    group.addoption("--jobtck-connect", metavar="URI", help="libvirt connection URI, as in virsh")
    group.addoption(
        "--jobtck-host", choices=["embedded", "libvirtd", "virtqemud"], help="where guests live without a URI"
    )
    group.addoption("--jobtck-build", metavar="DIR", type=Path, help="directory that the libvirt to judge was built in")
    group.addoption("--jobtck-expect-build", metavar="DIR", type=Path, help="refuse a libvirt that does not lie there")
    group.addoption("--jobtck-backend", metavar="NAME", help="backend to judge (default: libvirt)")
    group.addoption("--jobtck-design", metavar="NAME|FILE", help="design it plays (default: the backend's own)")
    group.addoption("--jobtck-budget", metavar="SECONDS", type=float, default=60.0, help="how long to search")
    group.addoption("--jobtck-known", metavar="FILE|none|shipped", default="shipped", help="known deviations")
    group.addoption("--jobtck-seed", metavar="N", type=int, default=1, help="where long random sessions begin")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each requirement of the catalogue."""
    if RECORD in metafunc.fixturenames:
        from jobtck.conformance.catalogue import CATALOGUE

        metafunc.parametrize(RECORD, [each.id for each in CATALOGUE], indirect=True)


@pytest.fixture(scope="session")
def jobtck_record(request: pytest.FixtureRequest) -> "Record":
    """The record of one run, made when the first item asks for it."""
    from threading import Event

    from jobtck.command import known_deviations, options_for, pairs_for, terminated_as_interrupted
    from jobtck.conformance.errors import JobtckError
    from jobtck.fixtures.build_directory import check_holds_libvirt
    from jobtck.run import Order, Silent, judge_all

    def option(name: str) -> Any:  # noqa: ANN401
        return request.config.getoption(name)

    expected = option("--jobtck-expect-build")
    try:
        order = Order(
            pairs=pairs_for(option("--jobtck-backend") or "libvirt", option("--jobtck-design")),
            options=options_for(
                option("--jobtck-connect"),
                option("--jobtck-host"),
                read_only=False,
                build=option("--jobtck-build"),
            ),
            expect_build=expected and check_holds_libvirt(expected, "--jobtck-expect-build"),
            budget_seconds=option("--jobtck-budget"),
            seed=option("--jobtck-seed"),
            known=known_deviations(option("--jobtck-known")),
            strict=False,
            command="pytest --pyargs jobtck.suite",
        )
        stop = Event()
        with terminated_as_interrupted(stop):
            run = judge_all(order, Silent(), stop)
    except JobtckError as error:
        pytest.exit(f"jobtck: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
    if run.error or not run.records:
        pytest.exit(f"jobtck: {run.error or 'nothing was judged'}", returncode=pytest.ExitCode.INTERNAL_ERROR)
    record = run.records[0]
    if not any(each.exercised for each in record.requirements):
        pytest.fail("jobtck: the backend has nothing that could be judged", pytrace=False)
    return record


@pytest.fixture
def jobtck_requirement(request: pytest.FixtureRequest, jobtck_record: "Record") -> "RequirementRecord":
    """What the run says of that requirement."""
    return next(each for each in jobtck_record.requirements if each.id == request.param)


def conclude(found: "RequirementRecord", stale_known: "Sequence[KnownDeviation]") -> None:
    """The item passes, fails or is skipped as the run says of its requirement."""
    from jobtck.conformance.record import Verdict
    from jobtck.reports.junit import deviations_text

    told = f"{found.id} ({found.level}): {found.text}"
    for each in stale_known:
        if each.requirement == found.id:
            gone = f"listed, and no longer seen: {each.reason} ({each.reference})"
            pytest.fail(f"{told}\n{gone}", pytrace=False)
    match found.verdict:
        case Verdict.FAIL if found.level == "MUST":
            pytest.fail(f"{told}\n{deviations_text(found)}", pytrace=False)
        case Verdict.FAIL:
            pytest.xfail(f"{told} deviates")
        case Verdict.KNOWN:
            pytest.xfail("known: " + "; ".join(f"{each.reason} ({each.reference})" for each in found.known))
        case Verdict.NOT_EXERCISED if found.is_missed:
            pytest.fail(f"{told}\nnot exercised: {found.reason}", pytrace=False)
        case Verdict.UNSUPPORTED | Verdict.NOT_EXERCISED:
            pytest.skip(found.reason)
        case _:
            pass
