"""What `pip install` of the built wheel gives: the whole of it, pages too, and no need of Node."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "web" / "dist" / "index.html"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a virtualenv with the wheel; what it depends on is borrowed from ours."""
    if not PAGES.exists():
        pytest.skip("needs the built pages: make pages")
    folder = tmp_path_factory.mktemp("wheel")
    build = ["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([python, "-m", *install], check=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"])
    return python.parent


@pytest.fixture
def demo(installed: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`milepost demo` of the wheel, far from the checkout and with no Node on the PATH."""
    process = subprocess.Popen(
        [
            *(installed / "milepost", "demo", "--no-view", "--port", "0"),
            *("--vehicles", "20", "--orders", "60"),
        ],
        cwd=tmp_path,
        env={"PATH": _path_without_node(installed), "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def _path_without_node(first: Path) -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join([str(first), *(f for f in folders if not (Path(f) / "node").exists())])


def test_the_demo_of_the_wheel_shows_the_pages(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout
    said = ""
    for line in demo.stdout:
        said += line
        if line.startswith("dispatcher "):
            break
    else:
        raise AssertionError(f"the demo ended without a link:\n{said}")
    link = line.split()[1]
    with urllib.request.urlopen(link.partition("#")[0], timeout=30) as page:
        assert page.read() == PAGES.read_bytes()
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=60)
    assert demo.returncode == 0
