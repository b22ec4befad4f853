"""Under CI=true a skipped test is a failed one (tests/conftest.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = 'import pytest\ndef test_it():\n    pytest.skip("no broker here")\n'
MODULE_SKIPPED = 'import pytest\npytest.skip("no data here", allow_module_level=True)\n'


def outcome(file: Path, **environ: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(file.parent), str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "CI"} | environ,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(SKIPPED, "no broker here", id="a test"),
        pytest.param(MODULE_SKIPPED, "no data here", id="a module"),
    ],
)
def test_in_ci_a_skip_fails_and_says_why(tmp_path: Path, source: str, reason: str) -> None:
    file = tmp_path / "test_skipped.py"
    file.write_text(source)
    code, said = outcome(file, CI="true")
    assert code != 0
    assert "skipped under CI=true" in said
    assert reason in said


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    file = tmp_path / "test_skipped.py"
    file.write_text(SKIPPED)
    code, said = outcome(file)
    assert (code, "1 skipped" in said) == (0, True)
