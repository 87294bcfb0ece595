import logging
import subprocess
import sys

import pytest

import easel


@pytest.fixture(autouse=True)
def level_restored():
    logger = logging.getLogger("easel")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("quiet", ""),
        ("off", ""),
        ("error", "e"),
        ("warn", "we"),
        ("warning", "we"),
        ("info", "iwe"),
        ("debug", "diwe"),
    ],
)
def test_levels(caplog, level, written):
    easel.set_log_level(level)
    logger = logging.getLogger("easel.somewhere")
    for say, text in ((logger.debug, "d"), (logger.info, "i"), (logger.warning, "w"), (logger.error, "e")):
        say(text)
    assert "".join(record.message for record in caplog.records) == written


def test_unknown_level_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'loud'.*quiet.*debug"):
        easel.set_log_level("loud")


def output_of(program: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, "-c", "import easel, logging\n" + program], capture_output=True, text=True)
    return done.stdout, done.stderr


def test_only_what_went_wrong_is_told_until_asked():
    say = "say = logging.getLogger('easel.somewhere'); say.info('fine'); say.error('lost')"
    assert output_of(say) == ("", "lost\n")
    assert output_of("easel.set_log_level('quiet'); " + say) == ("", "")


def test_asked_it_writes_each_message_once_to_stderr():
    program = "easel.set_log_level('debug'); easel.set_log_level()\nlogging.getLogger('easel.somewhere').info('hello')"
    assert output_of(program) == ("", "easel.somewhere: hello\n")


def test_a_program_keeps_its_own_logging():
    program = (
        "logging.basicConfig(format='mine %(message)s'); easel.set_log_level()\nlogging.getLogger('easel').info('x')"
    )
    assert output_of(program) == ("", "mine x\n")
