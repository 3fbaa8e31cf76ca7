"""Mistakes laid over the real libvirt: each run fails, and names the mistake in the calls that show it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.trials import Trial, run

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
if shutil.which("qemu-img") is None or shutil.which("cc") is None or shutil.which("pkg-config") is None:
    pytest.skip("QEMU or a C compiler is not installed", allow_module_level=True)

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("libvirt")]

SOURCE = Path(__file__).parent / "trial_shim.c"


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that is laid over libvirt."""
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    asked = subprocess.run(["pkg-config", "--cflags", "libvirt"], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        pytest.skip("libvirt's headers are not installed")
    wanted = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(SOURCE)]
    subprocess.run(["cc", *wanted, *asked.stdout.split(), "-ldl", "-lpthread"], check=True)
    return library


def test_an_address_that_stays_taken_is_shown_by_the_next_pull(shim: Path, tmp_path: Path) -> None:
    trial = try_libvirt(tmp_path, shim, "address-stays:1")
    assert trial.status == 1, trial.told
    assert "BEGIN-4" in trial.failed
    shown = trial.deviation("BEGIN-4")
    calls = [each["call"] for each in shown["calls"] if each["call"] != "settle"]  # an abort takes a moment
    assert (shown["reproduced"] > 0, calls) == (True, ["backup_begin", "abort_job", "backup_begin"])


@pytest.mark.parametrize(
    ("mistakes", "names"),
    [  # one run for two that do not meet, for a run on libvirt takes half a minute
        ("stats-internal:2,event-lost:2", {"SANE-1", "EVENT-1"}),
        ("guest-dies:3", {"SANE-2"}),
    ],
)
def test_mistakes_are_named_with_their_rates(mistakes: str, names: set[str], shim: Path, tmp_path: Path) -> None:
    trial = try_libvirt(tmp_path, shim, mistakes)
    assert trial.status == 1, trial.told
    assert names <= trial.failed
    for shown in map(trial.deviation, names):
        assert 0 < shown["met"] <= shown["exercised"]


def try_libvirt(folder: Path, shim: Path, mistakes: str) -> Trial:
    return run(folder, ["--backend", "libvirt", "--budget", "30"], {"LD_PRELOAD": str(shim), "MISTAKES": mistakes})
