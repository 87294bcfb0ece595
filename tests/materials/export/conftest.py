"""Networks that have learned nothing, small enough to be traced in a second or two."""

from collections.abc import Generator

import jaxtyping
import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Generator[None]:
    """These tensors are too small for two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def sizes_may_be_symbols() -> Generator[None]:
    """A traced size is no int, which the checks of calls would refuse."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
