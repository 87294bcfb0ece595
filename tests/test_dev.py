"""The decisions of `./dev`, each without network and without making an environment."""

import ast
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from importlib.machinery import SourceFileLoader
from itertools import pairwise
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

DEV = Path(__file__).resolve().parents[1] / "dev"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="stands in for programs with shell scripts")


@pytest.fixture
def dev(monkeypatch, tmp_path):
    """The script as a module, its environment in a folder that does not exist yet."""
    monkeypatch.setenv("EASEL_VENV", str(tmp_path / "environment"))
    monkeypatch.delenv("EASEL_TORCH", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("dev", str(DEV))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev", loader))
    loader.exec_module(module)
    return module


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def stopped(capsys, code: int, call, *arguments) -> str:
    """The one line with which a call ends the program."""
    with pytest.raises(SystemExit) as end:
        call(*arguments)
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == code
    return line


# The command line


def test_without_arguments_it_tells_its_commands(dev, capsys):
    assert dev.main([]) == 0
    told = capsys.readouterr().out
    assert all(f"./dev {command} " in told for command in ("demo", "test", "processors", "system", "run"))
    assert dev.main(["--help"]) == 0
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["tset"], 2, "'tset'; there are demo, test, processors, system, run"),
        (["run"], 2, "./dev run easel --help"),
        (["system", "--force"], 2, "--yes"),
        (["processors", "-x"], 2, "takes nothing"),
    ],
)
def test_bad_calls_end_in_one_line(dev, capsys, arguments, code, words):
    assert words in stopped(capsys, code, dev.main, arguments)


def test_any_python3_can_read_it():
    ast.parse(DEV.read_text(encoding="utf-8"), feature_version=(3, 6))
    with pytest.raises(SyntaxError):
        ast.parse("(a := 1)", feature_version=(3, 6))


def test_an_old_python_says_what_it_needs(dev, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    assert "needs Python 3.11" in stopped(capsys, 2, dev.find_python)


# Which Python


def test_a_python_that_does_not_start_is_passed_over(dev, monkeypatch, tmp_path):
    script(tmp_path / "shim" / "python3.11", "echo 'no such version' >&2; exit 127")
    script(tmp_path / "real" / "python3.11", f'exec {sys.executable} "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'shim'}:{tmp_path / 'real'}")
    found = dev.find_python()
    assert found.path == os.path.realpath(sys._base_executable)
    assert found.version == ".".join(map(str, sys.version_info[:3]))


def test_inside_an_environment_it_finds_the_interpreter_below(dev, monkeypatch, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "inner"], check=True)
    (tmp_path / "inner" / "bin" / "python3.11").unlink(missing_ok=True)
    (tmp_path / "inner" / "bin" / "python3.11").symlink_to("python")
    monkeypatch.setenv("PATH", str(tmp_path / "inner" / "bin"))
    assert dev.find_python().path == os.path.realpath(sys._base_executable)


# Which torch


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wish", "platform", "smi", "build"),
    [
        (None, "linux", None, "cpu"),
        ("auto", "linux", "exit 0", "cuda"),
        ("auto", "linux", "exit 9", "cpu"),
        ("auto", "darwin", None, "cuda"),
        ("cpu", "linux", "exit 0", "cpu"),
        ("cuda", "linux", None, "cuda"),
    ],
)
def test_wanted_build(dev, monkeypatch, tmp_path, wish, platform, smi, build):
    if Path("/proc/driver/nvidia/version").exists() and build == "cpu" and wish != "cpu":
        pytest.skip("this machine has an NVIDIA driver")
    if smi:
        script(tmp_path / "nvidia-smi", smi)
    if wish:
        monkeypatch.setenv("EASEL_TORCH", wish)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setattr(dev, "sys", SimpleNamespace(platform=platform))
    assert dev.wanted_build()[0] == build


def test_an_unknown_build_is_refused(dev, capsys, monkeypatch):
    monkeypatch.setenv("EASEL_TORCH", "rocm")
    assert "none of auto, cpu and cuda" in stopped(capsys, 2, dev.wanted_build)


VERSIONS = ("2.13.0", "2.13.0+cpu", "2.13.0+cu130", "2.14.1+cpu")


@pytest.mark.parametrize(
    ("build", "offered", "answering", "accepted", "index"),
    [
        ("cpu", True, True, {"2.13.0+cpu"}, False),
        ("cpu", False, True, {"2.13.0+cpu"}, True),
        ("cpu", False, False, {"2.13.0", "2.13.0+cpu", "2.13.0+cu130"}, False),
        ("cuda", True, True, {"2.13.0", "2.13.0+cu130"}, False),
    ],
)
def test_choose_torch(dev, monkeypatch, capsys, build, offered, answering, accepted, index):
    monkeypatch.setattr(dev, "pip_offers", lambda requirement: offered and requirement == "torch==2.13.0+cpu")
    monkeypatch.setattr(dev, "index_answers", lambda address: answering and address == dev.CPU_INDEX)
    (requirement, *options), _ = dev.choose_torch(build, "torch==2.13.0")
    assert {version for version in VERSIONS if Requirement(requirement).specifier.contains(version)} == accepted
    assert options == (["--extra-index-url", dev.CPU_INDEX] if index else [])
    assert ("several GB" in capsys.readouterr().err) == (len(accepted) == 3)


def test_the_pin_holds_either_build_of_torch():
    pin = (DEV.parent / "requirements" / "torch.txt").read_text().strip()
    version = Requirement(pin).specifier
    assert pin.startswith("torch==")
    assert version.contains(pin.removeprefix("torch==")) and version.contains(f"{pin.removeprefix('torch==')}+cpu")


@pytest.mark.slow
def test_pip_is_asked_for_its_sources_not_for_what_is_installed(dev, monkeypatch, tmp_path):
    bare = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    monkeypatch.setattr(dev, "SURROUNDINGS", {**os.environ, **bare})
    monkeypatch.setattr(dev, "PIP", (sys.executable, "-m", "pip"))
    assert not dev.pip_offers("pytest")  # installed, or this would not run
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, DEV.parent],
        env=dev.SURROUNDINGS, capture_output=True, check=True,
    )  # fmt: skip
    assert dev.pip_offers("torch-easel")
    assert not dev.pip_offers("torch-easel==0.0.1")


@pytest.mark.parametrize("address", ["not an address", "http://localhost:1/whl", "file:///nowhere"])
def test_an_index_out_of_reach_is_no_error(dev, address):
    assert dev.index_answers(address) is False


# The environment


@pytest.fixture
def project(dev, monkeypatch, tmp_path):
    """`dev` in a project of its own, where a set-up only counts."""
    root = tmp_path / "project"
    (root / "requirements").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]")
    (root / "requirements" / "torch.txt").write_text("torch==2.13.0")
    dev.VENV.mkdir()
    dev.set_ups = 0

    def set_up(*_) -> None:
        time.sleep(0.05)
        dev.set_ups += 1

    monkeypatch.setattr(dev, "ROOT", root)
    monkeypatch.setattr(dev, "set_up", set_up)
    return dev


def test_the_stamp_follows_every_input(project, monkeypatch):
    python = project.Python("/usr/bin/python3.11", "3.11.7")
    stamps = [project.stamp_of(python, "cpu")]
    stamps.append(project.stamp_of(python._replace(path="/opt/python3.11"), "cpu"))
    stamps.append(project.stamp_of(python._replace(version="3.11.8"), "cpu"))
    stamps.append(project.stamp_of(python, "cuda"))
    for path in ("pyproject.toml", "requirements/torch.txt", "requirements/more.txt"):
        (project.ROOT / path).write_text("changed")
        stamps.append(project.stamp_of(python, "cpu"))
    (project.ROOT / "requirements" / "more.txt").rename(project.ROOT / "requirements" / "most.txt")
    stamps.append(project.stamp_of(python, "cpu"))
    monkeypatch.setattr(project, "VENV", project.VENV / "elsewhere")
    stamps.append(project.stamp_of(python, "cpu"))
    assert len(set(stamps)) == len(stamps) == 9


def test_the_stamp_follows_nothing_else(project):
    python = project.find_python()
    before = project.stamp_of(python, "cpu")
    (project.ROOT / "README.md").write_text("new")
    assert project.stamp_of(python, "cpu") == before


@pytest.mark.slow
def test_a_second_call_finds_it_ready(project):
    project.prepare()
    project.prepare()
    assert project.set_ups == 1
    (project.VENV / "stamp").unlink()
    project.prepare()
    assert project.set_ups == 2


@pytest.mark.slow
def test_a_set_up_that_fails_leaves_no_stamp(project, monkeypatch):
    project.prepare()
    (project.ROOT / "pyproject.toml").write_text("changed")
    monkeypatch.setattr(project, "set_up", lambda *_: project.stop("no", 1))
    with pytest.raises(SystemExit):
        project.prepare()
    assert not (project.VENV / "stamp").exists()


@pytest.mark.slow
def test_of_two_first_calls_one_sets_up_and_the_other_waits(project):
    calls = [Thread(target=project.prepare) for _ in range(3)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert project.set_ups == 1
    assert (project.VENV / "stamp").exists()


def can_take(dev) -> bool:
    """Whether another process could take the lock now."""
    with open(f"{dev.VENV}.lock", "a") as lock:
        return dev.taken(lock)


def test_a_step_of_the_set_up_keeps_the_lock_when_dev_is_killed(dev):
    with dev.alone():
        assert not can_take(dev)
        step = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    with step:
        assert not can_take(dev)
        assert step.stdin is not None
        step.stdin.close()
    assert can_take(dev)


def test_a_step_shows_its_output_only_when_it_fails(dev, capsys):
    dev.phase("quiet", "sh", "-c", "echo a great deal")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dev: quiet ...") and line.endswith(" s")
    with pytest.raises(SystemExit) as end:
        dev.phase("loud", "sh", "-c", "echo the reason >&2; exit 3")
    assert end.value.code == 1
    assert "the reason\n" in capsys.readouterr().err


def test_usable_means_made_here_by_this_python_with_pip(dev, monkeypatch, tmp_path):
    python = dev.find_python()
    assert not dev.usable(python)
    subprocess.run([python.path, "-m", "venv", "--without-pip", dev.VENV], check=True)
    assert not dev.usable(python)
    pip = dev.VENV / "lib" / f"python{python.version.rpartition('.')[0]}" / "site-packages" / "pip"
    pip.mkdir()
    (pip / "__main__.py").write_text("")
    assert dev.usable(python)
    assert not dev.usable(python._replace(path="/usr/bin/another"))
    moved = tmp_path / "moved"
    dev.VENV.rename(moved)
    monkeypatch.setattr(dev, "VENV", moved)
    monkeypatch.setattr(dev, "PIP", (str(moved / "bin" / "python"), *dev.PIP[1:]))
    assert not dev.usable(python)


def test_a_folder_with_other_things_is_left_alone(dev, capsys):
    dev.VENV.mkdir()
    (dev.VENV / "thesis.tex").write_text("ten years")
    assert "holds other things" in stopped(capsys, 2, dev.set_up, dev.find_python(), "cpu", "")
    assert (dev.VENV / "thesis.tex").read_text() == "ten years"


def test_a_half_installed_package_is_installed_again(dev, monkeypatch):
    site = dev.VENV / "lib" / "python3.11" / "site-packages"
    for name in ("whole-1.dist-info", "half-1.dist-info"):
        (site / name).mkdir(parents=True)
    (site / "whole-1.dist-info" / "INSTALLER").write_text("pip")
    steps = []
    monkeypatch.setattr(dev, "usable", lambda python: True)
    monkeypatch.setattr(dev, "pip_offers", lambda requirement: True)
    monkeypatch.setattr(dev, "phase", lambda what, *command: steps.append(command))
    dev.set_up(dev.find_python(), "cpu", "")
    assert [path.name for path in site.iterdir()] == ["whole-1.dist-info"]
    assert [one[len(dev.PIP)] for one in steps] == ["install", "install"]
    assert all(("-c", "requirements/constraints.txt") in pairwise(one) for one in steps)


# What it runs


@pytest.fixture
def call(dev, tmp_path):
    """`./dev …` in a process of its own, in an environment that counts as ready and holds only scripts."""
    for name in ("ruff", "pyright", "pytest", "easel"):
        script(dev.BIN / name, f'echo "{name} $*"')
    (dev.VENV / "stamp").write_text(dev.stamp_of(dev.find_python(), dev.wanted_build()[0]))

    def run(*arguments: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, DEV, *arguments], capture_output=True, text=True, **options)

    return run


@pytest.mark.slow
def test_run_passes_words_folder_and_exit_code(call, tmp_path):
    done = call("run", "sh", "-c", 'pwd; echo "$1"; exit 7', "sh", "two  words", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (7, f"{tmp_path}\ntwo  words\n", "")


def test_run_sees_the_environment_first_and_nothing_stray(call, dev):
    asked = 'which easel; echo "$VIRTUAL_ENV $PYTHONNOUSERSITE $PYTHONPATH$PYTHONHOME"'
    done = call("run", "sh", "-c", asked, env={**os.environ, "PYTHONPATH": "/stray"})
    assert done.stdout == f"{dev.BIN / 'easel'}\n{dev.VENV} 1 \n"


def test_run_of_nothing_known(call):
    done = call("run", "no-such-program")
    assert (done.returncode, done.stderr.count("\n")) == (127, 1)


def test_demo_opens_the_workstation(call):
    assert call("demo", "PHOTO.jpg", "--steps", "3").stdout == "easel workstation PHOTO.jpg --steps 3\n"


def test_test_with_arguments_is_pytest(call):
    assert call("test", "-k", "one", cwd="/").stdout == "pytest -k one\n"


@pytest.mark.slow
def test_test_runs_all_four_and_reports_all(call, dev):
    done = call("test", cwd="/")
    assert (done.returncode, done.stdout.split("\n")) == (
        0,
        ["ruff check", "ruff format --check", "pyright ", "pytest -n 2 --dist worksteal", ""],
    )
    script(dev.BIN / "ruff", "exit 1")
    done = call("test")
    assert (done.returncode, done.stdout) == (1, "pyright \npytest -n 2 --dist worksteal\n")
    verdicts = [line.split()[1:4] for line in done.stderr.splitlines()[-4:]]
    assert [verdict[0] for verdict in verdicts] == ["FAILED", "FAILED", "passed", "passed"]
    assert verdicts[1][1:] == ["ruff", "format"]


@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="older processors of this kind are told apart by x86-64 levels"
)
def test_processors_runs_the_tests_of_numbers_at_every_level_and_reports_all(call, dev):
    script(
        dev.BIN / "pytest",
        'echo "$ATEN_CPU_CAPABILITY $NUMBA_CPU_NAME $NUMBA_CPU_FEATURES"; test "$NUMBA_CPU_NAME" = haswell',
    )
    done = call("processors", cwd="/")
    told = [line.split() for line in done.stdout.splitlines()]
    assert [row[:2] for row in told] == [["default", "nehalem"], ["avx2", "haswell"]]
    # Every level adds to the one below; none has what only the processor at hand may have.
    features = [set(row[2].split(",")) for row in told]
    assert all(lower < upper for lower, upper in pairwise(features))
    assert "+avx" not in features[0]
    verdicts = [line.split()[1] for line in done.stderr.splitlines()[-len(told) :]]
    assert verdicts == ["FAILED", "passed"]
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["run", "pytest"], ["test"]], ids=" ".join)
def test_ctrl_c_reaches_the_program_once_and_leaves_no_traceback(call, dev, arguments):
    waiter = """
import signal, sys, time
signals = []
signal.signal(signal.SIGINT, lambda *_: signals.append(1))
print("ready", flush=True)
while not signals: time.sleep(0.01)
time.sleep(0.4)
print(len(signals), "signal", flush=True)
sys.exit(5)
"""
    program = script(dev.BIN / "pytest", "")
    program.write_text(f"#!{sys.executable}\n{waiter}")
    with subprocess.Popen(
        [sys.executable, DEV, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever starts the tests in the background has told them to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert output == "1 signal\n"
    assert "Traceback" not in errors
    assert process.returncode == (5 if arguments[0] == "run" else 130)


# System libraries


@pytest.fixture
def bare(dev, monkeypatch):
    """A Debian of which everything is known and nothing is asked; `calls` collects what would be run."""
    has = {"libEGL.so.1", "libGL.so.1", "libX11.so.6", "driver", "Xvfb", "ensurepip", "chromium"}
    bare = SimpleNamespace(dev=dev, has=has)
    bare.calls, bare.programs, bare.user = [], {"apt-get"}, 0
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "find_python", lambda: dev.Python("/usr/bin/python3.11", "3.11.2"))
    monkeypatch.setattr(dev, "loads", lambda library: library in bare.has)
    monkeypatch.setattr(dev, "opens_a_display", lambda: "driver" in bare.has)
    monkeypatch.setattr(dev, "works", lambda *command: "ensurepip" in bare.has)
    monkeypatch.setattr(dev.shutil, "which", lambda name: name if name in bare.has | bare.programs else None)
    monkeypatch.setattr(dev.os, "geteuid", lambda: bare.user)
    monkeypatch.setattr(dev.subprocess, "call", lambda command, env, stdin: bare.calls.append(command) or 0)
    return bare


def test_nothing_missing(bare):
    assert bare.dev.system([]) == bare.dev.system(["--yes"]) == 0
    assert bare.calls == []


@pytest.mark.parametrize(
    ("lost", "packages"),
    [
        ({"Xvfb"}, "xvfb"),
        ({"driver"}, "libgl1-mesa-dri"),
        ({"libX11.so.6"}, "libx11-6"),
        ({"libEGL.so.1", "libGL.so.1"}, "libegl1 libgl1 libgl1-mesa-dri"),
        ({"ensurepip"}, "python3.11-venv"),
    ],
)
def test_what_is_missing_is_named_and_not_installed_unasked(bare, capsys, lost, packages):
    bare.has -= lost
    assert bare.dev.system([]) == 1
    assert capsys.readouterr().out == f"apt-get install -y --no-install-recommends {packages}\n"
    assert bare.calls == []


@pytest.mark.parametrize("agreement", ["--yes", "CI"])
def test_it_installs_when_told_to(bare, monkeypatch, agreement):
    bare.has -= {"Xvfb"}
    if agreement == "CI":
        monkeypatch.setenv("CI", "true")
    assert bare.dev.system(["--yes"] if agreement == "--yes" else []) == 0
    assert bare.calls == [["apt-get", "update"], "apt-get install -y --no-install-recommends xvfb".split()]


def test_only_ci_is_asked_for_a_browser(bare, monkeypatch):
    bare.has -= {"chromium"}
    assert bare.dev.missing_packages() == []
    monkeypatch.setenv("CI", "true")
    assert bare.dev.missing_packages() == ["chromium"]


@pytest.mark.parametrize("obstacle", ["not root", "no apt-get"])
def test_it_never_installs_where_it_cannot(bare, obstacle):
    bare.has -= {"Xvfb"}
    bare.user = 1000 if obstacle == "not root" else 0
    bare.programs = set() if obstacle == "no apt-get" else {"apt-get"}
    assert bare.dev.system(["--yes"]) == 1
    assert bare.calls == []


def test_the_real_system_is_looked_at(dev, gl):
    if sys.platform == "linux":
        assert not {"libegl1", "libgl1-mesa-dri"} & set(dev.missing_packages())
    assert not dev.loads("libNoSuchThing.so.9")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_ci_stops_at_the_first_failure(tmp_path):
    (tmp_path / ".ci").mkdir()
    shutil.copy(DEV.parent / ".ci" / "run", tmp_path / ".ci" / "run")
    script(tmp_path / "dev", 'echo "$CI $*"; test "$1" != system || exit ${MISSING:-0}; exit 4')
    runs = {
        missing: subprocess.run(
            ["bash", tmp_path / ".ci" / "run"],
            cwd="/",
            env={**os.environ, "MISSING": missing},
            capture_output=True,
            text=True,
        )
        for missing in ("0", "1")
    }
    assert (runs["0"].returncode, runs["0"].stdout) == (4, "true system\ntrue test\n")
    assert (runs["1"].returncode, runs["1"].stdout) == (1, "true system\n")
