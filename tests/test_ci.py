"""The drop-in files are read by those they are for, and say the same as the kit does."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jobtck.fixtures.debian_roots import PACKAGES
from jobtck.reportdir import JUNIT

CI = Path(__file__).parent.parent / "ci"
BIN = Path(sys.executable).parent


def loaded(name: str) -> dict[str, object]:
    content = YAML(typ="safe").load((CI / name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("schema", "name"),
    [("vendor.gitlab-ci", "gitlab-ci.yml"), ("vendor.github-workflows", "github-workflow.yml")],
)
def test_pipelines_keep_their_vendors_schema(schema: str, name: str) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", schema, str(CI / name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_report_is_kept_however_a_job_ends() -> None:
    match loaded("gitlab-ci.yml")["jobtck"]:
        case {"script": [str(script)], "artifacts": {"when": when, "paths": [kept], "reports": {"junit": junit}}}:
            assert when == "always"
            assert script.endswith("-o jobtck-report")
            assert (kept, junit) == ("jobtck-report/", f"jobtck-report/{JUNIT}")
        case other:
            raise AssertionError(other)
    match loaded("github-workflow.yml")["jobs"]:
        case {"jobtck": {"steps": [*_, {"run": str(judges)}, {"if": condition, "with": {"path": path}}]}}:
            assert judges.endswith("-o jobtck-report")
            assert (condition, path) == ("always()", "jobtck-report/")
        case other:
            raise AssertionError(other)


def strings_in(content: object) -> Iterator[str]:
    """All texts of a YAML document."""
    match content:
        case dict():
            yield from (text for each in content.values() for text in strings_in(each))
        case list():
            yield from (text for each in content for text in strings_in(each))
        case str():
            yield content
        case _:
            pass


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "github-workflow.yml", "Containerfile"])
def test_all_install_what_a_root_of_a_matrix_has(name: str) -> None:
    texts = strings_in(loaded(name)) if name.endswith(".yml") else [(CI / name).read_text(encoding="utf-8")]
    lines = [line for text in texts for line in text.replace("\\\n", " ").splitlines()]
    [line] = [line for line in lines if "apt-get install" in line]
    installed = line.partition("--no-install-recommends")[2].partition(";")[0].split()
    assert sorted(installed) == sorted(PACKAGES)


def test_avocado_takes_the_script_for_tap() -> None:
    hint = configparser.ConfigParser()
    hint.read_string((CI / "avocado" / ".avocado.hint").read_text(encoding="utf-8"))
    kind, pattern = hint["kinds"].popitem()
    assert (kind, hint[kind]["uri"]) == ("tap", "$testpath")
    assert os.access(CI / "avocado" / pattern, os.X_OK)


def test_a_project_of_lcitool_lists_packages_once() -> None:
    packages = loaded("lcitool/jobtck.yml")["packages"]
    assert isinstance(packages, list)
    assert packages == sorted(set(packages))


# -- meson: the real one, with a stand-in for jobtck that ends as it is told ------------------------------------------

STAND_IN = """#!/bin/sh
echo "$JOBTCK_TEST_WORDS"
exit "$JOBTCK_TEST_STATUS"
"""
MISSING = "error: the backend needs libvirt-python and lxml: pip install 'jobtck[libvirt]'"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny project of meson's with the test in it, configured."""
    directory = tmp_path_factory.mktemp("project")
    shutil.copytree(CI / "meson", directory / "tests" / "jobtck")
    (directory / "meson.build").write_text("project('tiny')\nsubdir('tests/jobtck')\n")
    for name in ("jobtck", "qemu-img"):
        program = directory / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(STAND_IN)
        program.chmod(0o755)
    done = subprocess.run(
        [str(BIN / "meson"), "setup", "build"],
        cwd=directory,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return directory


def environment(**values: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **values}


def outcome_of(project: Path, **values: str) -> str:
    """What meson says of the test."""
    words = {"PATH": f"{project / 'bin'}:{BIN}:{os.environ['PATH']}", **values}
    command = [str(BIN / "meson"), "test", "-C", "build", "jobtck-embedded"]
    done = subprocess.run(
        command, cwd=project, env=environment(**words), capture_output=True, text=True, check=False, timeout=120
    )
    [line] = [line for line in done.stdout.splitlines() if "1/1" in line]
    return next(word for word in ("OK", "SKIP", "FAIL", "ERROR") if re.search(rf"\b{word}\b", line))


@pytest.mark.parametrize(
    ("status", "words", "told"),
    [("0", "", "OK"), ("1", "", "FAIL"), ("3", "", "ERROR"), ("4", "it died", "ERROR"), ("4", MISSING, "SKIP")],
)
def test_meson_skips_what_is_missing_and_fails_what_deviates(project: Path, status: str, words: str, told: str) -> None:
    assert outcome_of(project, JOBTCK_TEST_STATUS=status, JOBTCK_TEST_WORDS=words) == told


@pytest.mark.parametrize("host", ["embedded", "virtqemud"])
def test_meson_has_the_build_judged_and_no_other(project: Path, host: str) -> None:
    command = [str(BIN / "meson"), "introspect", "--tests", "build"]
    done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=True)
    [words] = [each["cmd"] for each in json.loads(done.stdout) if each["name"] == f"jobtck-{host}"]
    assert words[-2:] == ["--build", str(project / "build")]
    assert words[words.index("--host") + 1] == host


def test_meson_skips_where_there_is_no_jobtck(project: Path) -> None:
    assert outcome_of(project, JOBTCK="no-such-jobtck") == "SKIP"


def test_the_words_that_mean_that_libvirt_is_missing_are_the_kits_own() -> None:
    source = (Path(__file__).parent.parent / "fixtures" / "libvirt_backend.py").read_text(encoding="utf-8")
    assert "the backend needs libvirt-python" in source
    assert "the backend needs libvirt-python" in (CI / "meson" / "jobtck-test").read_text(encoding="utf-8")
