"""What cannot be shown is refused at the call, with what came and what fits, as a user's own Python meets it.

The program runs in a process of its own: the checker of the tests would refuse some of it first, in its own words.
"""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np, torch, easel
view = easel.View("Bad", 200, 150, backend="none")
panel = view.panel("P")
canvas = panel.canvas("prediction").bind(torch.zeros(4, 4))
view.step()
said = {}
for case in json.load(sys.stdin):
    try:
        eval(case)
        said[case] = "accepted"
    except Exception as error:
        said[case] = f"{type(error).__name__}: {error}"
view.end_step()
view.run(max_frames=2)
assert view.frame_count == 3 and not any(p.guard.failures for p in view.panels.values())
json.dump(said, sys.stdout)
"""
TENSOR = "torch tensor, a numpy array or a PIL image"
CASES = {
    "canvas.bind([[0.0, 1.0]])": ["TypeError", "canvas 'prediction'", TENSOR, "got list", "torch.tensor(x)"],
    "canvas.bind('photo.png')": ["TypeError", "canvas 'prediction'", TENSOR, "got str", "imread(path)"],
    "canvas.bind(Path('photo.png'))": ["TypeError", TENSOR, "imread(path)"],
    "canvas.bind(3.0)": ["TypeError", "got float"],
    "canvas.bind(np.array(['a']))": ["ValueError", "arrays of numbers", "dtype <U1"],
    "canvas.bind(torch.zeros(4, 4, dtype=torch.int64))": ["ValueError", "got dtype int64", "colormap(t)"],
    "canvas.bind(torch.zeros(4, 4, dtype=torch.complex64))": ["ValueError", "got dtype complex64"],
    "canvas.bind(torch.zeros(8))": ["ValueError", "2D or 3D", "(8,)"],
    "canvas.bind(torch.zeros(8, 3, 4, 4))": ["ValueError", "2D or 3D", "x[0].permute(1, 2, 0)"],
    "canvas.bind(torch.zeros(3, 8, 8))": ["ValueError", "channels", "x.permute(1, 2, 0)"],
    "canvas.bind(torch.zeros(8, 8, 5))": ["ValueError", "1, 3, or 4 channels, got 5"],
    "canvas.bind(torch.zeros(0, 4))": ["ValueError", "empty"],
    "canvas.bind(torch.empty(4, 4, device='meta'))": ["ValueError", "canvas 'prediction'", "hold values", "'meta'"],
    "canvas.bind(torch.eye(4).to_sparse())": ["ValueError", "dense", "x.to_dense()"],
    "canvas.alloc(4, 4, 2)": ["ValueError", "1, 3, or 4 channels, got 2"],
    "easel.show('photo.png')": ["TypeError", "show(name='tensor')", "imread(path)"],
    "easel.imwrite('never.png', [0.0])": ["TypeError", TENSOR, "got list"],
    "easel.colormap([0.0])": ["TypeError", "torch tensor", "got list"],
    "easel.colormap(torch.rand(4, 4), 'virdis')": ["ValueError", "'virdis'", "Did you mean 'viridis'?", "turbo"],
    "setattr(canvas, 'cmap', 'virdis')": ["ValueError", "'virdis'", "viridis"],
    "setattr(canvas, 'filter', 'cubic')": ["ValueError", "'cubic'", "linear, nearest"],
    "panel.canvas('d', filter='cubic')": ["ValueError", "'cubic'", "canvas 'd'", "linear, nearest"],
    "view.panel('Q', side='middle')": ["ValueError", "'middle'", "left, right, top, bottom"],
    "view.panel('Q', side='left', width=30)": ["ValueError", "share from 0 to 1", "got 30"],
    "[panel.slider('lr'), panel.checkbox('lr')]": ["ValueError", "panel 'P' already has", "'lr'", "'lr##2'"],
    "panel.slider('s', 3, 1)": ["ValueError", "min=3, max=1"],
    "panel.color_picker('c', default='red')": ["ValueError", "three numbers"],
    "panel.edit({'lr': 1.0})": ["TypeError", "dataclass", "got dict"],
    "panel.slider('s', 'a', 1)": ["TypeError", "a slider takes finite numbers", "min='a'"],
    "panel.slider('s', 0, float('inf'))": ["ValueError", "finite numbers", "max=inf"],
    "panel.slider('s', 0, 1e39)": ["ValueError", "at most 1e+38"],
    "panel.slider('s', 0, 1, format='%s')": ["ValueError", "'%.3f'", "'%s'"],
    "panel.slider('s', default='half')": ["ValueError", "a number is needed", "'half'"],
    "panel.slider_int('i', 0.5, 3)": ["TypeError", "whole numbers", "min=0.5"],
    "panel.slider_int('i', 0, 10**12)": ["ValueError", "max=1000000000000"],
    "panel.combo('k', 'MSE')": ["TypeError", "several texts", "'MSE'"],
    "panel.combo('k', None)": ["TypeError", "several texts", "NoneType"],
    "panel.color_picker('c2', default=None)": ["ValueError", "three numbers", "None"],
    "panel.input_text('t', max_length=0)": ["ValueError", "at least one character", "max_length=0"],
    "panel.button(3)": ["TypeError", "a widget of panel 'P' is named by a text", "int 3"],
    "panel.button('wide', 'all')": ["TypeError", "width='all'"],
    "panel.plot('abc')": ["TypeError", "a list, an array or a tensor", "'abc'"],
    "panel.progress('half')": ["TypeError", "a share from 0 to 1", "'half'"],
    "panel.text('x', color=('red', 0, 0, 1))": ["TypeError", "red='red'"],
    "panel.on_frame(None)": ["TypeError", "a callback of panel 'P'", "without arguments", "NoneType"],
    "view.on_frame(lambda frame: None)": ["TypeError", "without arguments", "missing a required argument: 'frame'"],
    "view.on_key(lambda: None)": ["TypeError", "with one argument", "too many positional"],
    "panel.file_dialog('open', filters='*.png')": ["TypeError", "('Images', '*.png *.jpg')"],
    "panel.record_button(None)": ["TypeError", "a canvas or a view", "NoneType"],
    "panel.watch(None)": ["TypeError", "a torch optimizer", "NoneType"],
    "panel.canvas(None)": ["TypeError", "a canvas is named by a text"],
    "view.panel(3)": ["TypeError", "a panel is named by a text", "int 3"],
    "view.panel('')": ["ValueError", "a panel needs a name"],
    "view.panel('Q', side='left', width='half')": ["TypeError", "width='half'"],
    "view.run(max_frames=-1)": ["ValueError", "0 for no limit", "-1"],
    "canvas.bind(torch.nn.Linear(2, 2).forward)": ["TypeError", "called without arguments", "'input'"],
    "canvas.compare(torch.zeros(4, 4))": ["TypeError", "a canvas or a step", "got Tensor", "Canvas(name).bind(tensor)"],
    "canvas.link(torch.zeros(4, 4))": ["TypeError", "linked with canvases", "Tensor"],
    "canvas.alloc(0, 4)": ["ValueError", "at least one pixel", "height=0"],
    "easel.create_tensor('4', 4)": ["TypeError", "whole numbers of pixels", "height='4'"],
    "easel.show(torch.zeros(4, 4), width=float('nan'))": ["ValueError", "width=nan"],
    "easel.show(torch.zeros(4, 4), window=3)": ["TypeError", "takes an easel.Window", "int"],
    "easel.View(width=0)": ["ValueError", "at least one pixel", "width=0"],
    "easel.View(width=10**9)": ["ValueError", "at most 16384", "width=1000000000"],
    "easel.View(width=10.5)": ["TypeError", "whole numbers", "width=10.5"],
    "easel.set_log_level([])": ["ValueError", "Known: quiet"],
    "easel.View(backend='opengl')": ["ValueError", "'opengl'", "window, headless, none"],
}


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(command, input=json.dumps(list(CASES)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_named_at_the_call(said: dict[str, str], case: str) -> None:
    for words in CASES[case]:
        assert words in said[case]
    assert "\n" not in said[case]


def test_a_label_that_becomes_another_kind_of_widget_starts_anew(open_any) -> None:
    view = open_any()
    panel, values = view.panel("P"), []

    @panel.on_frame
    def draw() -> None:
        if view.frame_count < 2:
            values.append(panel.combo("x", ["a", "b"], default=1))
        elif view.frame_count < 4:
            values.append(panel.color_picker("x", default=(0.0, 0.5, 1.0)))
        else:
            values.append(panel.slider("x", 0.0, 2.0, default=0.5))

    view.run(max_frames=6)
    assert values == [1, 1, (0.0, 0.5, 1.0), (0.0, 0.5, 1.0), 0.5, 0.5]
