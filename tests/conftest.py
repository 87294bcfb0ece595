"""What tests may ask for: OpenGL, a screen, real photographs, and a clean look at what an import loads."""

import importlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from jaxtyping import install_import_hook

SOURCES = Path(__file__).resolve().parents[1] / "src"
# Calls and their results are checked in every module that states shapes. A checked call costs about 40 µs more; in the
# others, which are most of those that draw, it would find what pyright finds.
install_import_hook(
    [
        ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for path in SOURCES.rglob("*.py")
        if "from jaxtyping import" in path.read_text(encoding="utf-8")
    ],
    "beartype.beartype",
)

# Results depend on the number of threads, also in the programs that tests start.
# One of torch's: on small tensors a second thread costs more than it helps.
os.environ["OMP_NUM_THREADS"], os.environ["NUMBA_NUM_THREADS"] = "1", "2"
# A test never opens a window on the screen of the person who runs it.
for name in ("DISPLAY", "WAYLAND_DISPLAY", "EASEL_BACKEND", "EASEL_MAX_FRAMES", "EASEL_SCALE"):
    os.environ.pop(name, None)


def lacking(reason: str) -> NoReturn:
    """Skip where a user lacks something; fail in CI, where a missing driver must not hide as green."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have this: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, marker in (("gl", "gl"), ("xvfb", "window")):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a GPU that torch can use")


@pytest.fixture(scope="session")
def gl_failure() -> str | None:
    """Why no OpenGL context opens here without a screen; None where one does."""
    try:
        import moderngl

        # Left current on this thread, the context would take the next window down with it.
        with moderngl.create_context(standalone=True, backend="egl", require=330) as context:
            pass
        context.release()
    except Exception as error:  # moderngl raises it bare
        return f"no OpenGL 3.3 through EGL: {error}"
    return None


@pytest.fixture
def gl(gl_failure: str | None) -> None:
    """The test draws with OpenGL and no screen."""
    if gl_failure:
        lacking(gl_failure)


@pytest.fixture(scope="session")
def xvfb_display() -> Generator[str | None]:
    """A running X server without a screen, as `:N`; None where there is no Xvfb."""
    if shutil.which("Xvfb") is None:
        yield None
        return
    # The shell ends the server when its input closes, which happens even where the tests are killed.
    # -noreset: without it the server starts anew whenever its last window closes, and refuses the next one meanwhile.
    server = "Xvfb -displayfd 1 -screen 0 1600x1000x24 -nolisten tcp -noreset"
    shell = ["sh", "-c", f"trap '' INT; {server} & exec >&-; read -r _; kill $!"]
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(shell, stdin=pipe, stdout=pipe, stderr=quiet, text=True) as process:
        assert process.stdout is not None
        number = process.stdout.readline().strip()  # written when the server is ready; nothing where it fails
        yield f":{number}" if number else None


@pytest.fixture
def xvfb(xvfb_display: str | None) -> str:
    """The DISPLAY of an X server that belongs to the tests."""
    if xvfb_display is None:
        lacking("Xvfb is missing or does not start")
    return xvfb_display


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., str]:
    """Opens a page in a browser that nobody sees; returns the page's document after its scripts have run.

    The browser is told to reach nothing, and gets `milliseconds` of its own clock, which stands still while it draws.
    """
    program = shutil.which("chromium")
    if program is None:
        lacking("Chromium is missing")
    # Its sandbox does not start for root, which CI often is; it opens nothing but the test's own page.
    flags = "--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic --no-first-run "
    flags += "--disable-background-networking --disable-component-update --disable-sync --dump-dom"

    def open_page(page: Path, *, size: tuple[int, int] = (160, 120), milliseconds: int = 10_000) -> str:
        where = [f"--user-data-dir={tmp_path / 'browser'}", f"--window-size={size[0]},{size[1]}"]
        clock = f"--virtual-time-budget={milliseconds}"
        command = [program, *flags.split(), *where, clock, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return open_page


@pytest.fixture
def chromium() -> Callable[..., Any]:
    """Opens an address in a browser that nobody sees and lets `script(page)` act there; returns what that returns.

    The script runs on the thread that calls, where nothing else may run an event loop.
    """
    program = shutil.which("chromium")
    if program is None:
        lacking("Chromium is missing")
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        lacking("playwright is missing")

    def run(address: str, script: Callable[[Any], Any], **settings: Any) -> Any:
        with playwright.sync_playwright() as tool:
            # Its sandbox does not start for root, which CI often is; it opens nothing but the test's own page.
            browser = tool.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            with browser.new_context(**{"viewport": {"width": 640, "height": 480}} | settings) as context:
                page = context.new_page()
                page.set_default_timeout(20_000)
                page.goto(address)
                return script(page)

    return run


@pytest.fixture(scope="session")
def exr() -> ModuleType:
    """The library behind the extra `exr`."""
    try:
        return importlib.import_module("OpenEXR")
    except ImportError:
        lacking("OpenEXR is missing: pip install 'torch-easel[exr]'")


@pytest.fixture(scope="session")
def onnx_runtime() -> ModuleType:
    """The libraries behind the extra `export` that ONNX needs."""
    try:
        importlib.import_module("onnxscript")
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        lacking(f"{error.name} is missing: pip install 'torch-easel[export]'")


@pytest.fixture(scope="session")
def materialx() -> ModuleType:
    """The library behind MaterialX documents."""
    try:
        return importlib.import_module("MaterialX")
    except ImportError:
        lacking("MaterialX is missing: pip install 'torch-easel[handover]'")


@pytest.fixture(scope="session")
def usd() -> ModuleType:
    """The library behind USD layers."""
    try:
        return importlib.import_module("pxr")
    except ImportError:
        lacking("usd-core is missing: pip install 'torch-easel[handover]'")


@pytest.fixture(scope="session")
def npm_pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Fetches a package of the npm registry by name@version; returns the folder of its files, and runs none of them."""
    program = shutil.which("npm")
    if program is None:
        pytest.skip("npm is missing")

    def fetch(package: str) -> Path:
        folder = tmp_path_factory.mktemp("npm")
        command = [program, "pack", package, "--silent", "--pack-destination", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        if done.returncode:
            pytest.skip(f"npm does not fetch {package}: {done.stderr.strip()[-200:]}")  # its registry may be down
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        return folder / "package"

    return fetch


@pytest.fixture(scope="session")
def trial_data() -> Path:
    """The folder of real photographs that EASEL_DATA names; no part of a clone, so its absence always skips."""
    folder = os.environ.get("EASEL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("EASEL_DATA names no folder of trial photographs")
    return Path(folder)


def modules_after(code: str, options: dict) -> set[str]:
    code += "\nimport sys; print(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.fixture(scope="session")
def packages_loaded_by() -> Callable[..., set[str]]:
    """Packages beside ours and the standard library that some code loads in a fresh interpreter."""

    def run(code: str, **options) -> set[str]:
        # What every start of this Python loads is not the code's doing: an environment may hook itself in.
        loaded = modules_after(code, options) - modules_after("", options)
        return {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"easel"}

    return run
