"""Live sliders for what an optimizer reads anew at every step."""

from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from easel.viewer.widgets.controls import Control, Form, TupleControl, WidgetControl
from easel.viewer.widgets.describe import Range

RATE = Range(1e-6, 1.0, log=True)
DECAY = Range(0.0, 1.0, log=True)
MOMENTUM = Range(0.0, 0.9999, step=1e-4)


def watch(form: Form, optimizer: Optimizer, name: str) -> None:
    """Draw a slider for learning rate, weight decay and momentum of every parameter group, and apply what it says."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"watch takes a torch optimizer; got {type(optimizer).__name__}.")
    for number, group in enumerate(optimizer.param_groups):
        title = str(group.get("name", f"group {number}")) if len(optimizer.param_groups) > 1 else ""
        if title:
            form.section(title)
        for key, control in _controls(group, ".".join(filter(None, (name, title)))):
            old = group[key]
            new = control.draw(form, old)
            if isinstance(old, Tensor) and new is not old:
                old.fill_(new)  # captured graphs and compiled steps read this very tensor
            else:
                group[key] = new


def _controls(group: dict[str, Any], scope: str) -> list[tuple[str, Control]]:
    """What this kind of optimizer has, under its key in the group."""

    def slider(words: str, span: Range, help: str) -> WidgetControl:
        return WidgetControl(
            f"{words}##{scope}" if scope else words, span.slider(span.min), f"{help} Acts at the next step."
        )

    means = "Running mean of gradients: the share that stays."
    known = {
        "lr": slider("lr", RATE, "Learning rate."),
        "weight_decay": slider("weight decay", DECAY, "Pull of the weights towards zero; off at the left end."),
        "momentum": slider("momentum", MOMENTUM, means),
        "betas": TupleControl(
            "betas",
            [slider("beta 1", MOMENTUM, means), slider("beta 2", MOMENTUM, f"{means[:-1]}, for their squares.")],
        ),
    }
    return [(key, control) for key, control in known.items() if key in group]
