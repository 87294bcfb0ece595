"""What is in the picture: every weight where it belongs, in the colour of its value, and nothing else."""

import math
from collections.abc import Callable, Iterator

import moderngl
import numpy as np
import pytest
import torch
from torch import nn

from easel.gl.context import GLUnavailable, open_headless
from easel.gl.programs import read_shader
from easel.graphics.camera import Camera
from easel.inspector.drawing.colors import AMBER, BACKGROUND, LOUD, POSITIVE, ZERO
from easel.inspector.drawing.gl_draw import SheetBrush
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors
from easel.inspector.network_scene import NetworkScene
from easel.inspector.scene.pyramid import tiles_of
from easel.inspector.scene.view import Eye

SIZE = (120, 160)
Make = Callable[..., NetworkScene]


def bare(scene: NetworkScene) -> NetworkScene:
    """Without names and outlines: data alone."""
    scene.labels = scene.outlines = scene.legend = False
    return scene


def bytes_of(picture: torch.Tensor) -> np.ndarray:
    return (picture.numpy() * 255).round().astype(int)


def seeded(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def is_like(picture: torch.Tensor, color: tuple[float, ...], within: int = 1) -> np.ndarray:
    return (np.abs(bytes_of(picture) - np.array(color) * 255).max(-1) <= within + 0.5).copy()


def is_red(picture: torch.Tensor) -> np.ndarray:
    red, green, blue = bytes_of(picture).transpose(2, 0, 1)
    return (red > green + 40) & (red > blue + 40)


def is_blue(picture: torch.Tensor) -> np.ndarray:
    red, _, blue = bytes_of(picture).transpose(2, 0, 1)
    return blue > red + 40


def on(scene: NetworkScene, name: str, camera: Camera) -> np.ndarray:
    """Which pixels a sheet that faces the camera covers."""
    box = scene.boxes[name]
    corners = np.array([box.origin, np.add(box.origin, np.add(box.right, box.down))])
    (left, top, _), (right, bottom, _) = Eye.of(camera, SIZE, scene.arrangement.bounds).project(corners)
    covered = np.zeros(SIZE, bool)
    covered[max(round(top), 0) : max(round(bottom), 0), max(round(left), 0) : max(round(right), 0)] = True
    return covered


def test_one_weight_is_one_red_rectangle(scene: Make):
    values = torch.zeros(4, 6)
    values[1, 4] = 1.0
    made = bare(scene(fc_weight=values))
    camera = made.look_at("fc.weight", SIZE)
    picture = made.draw(camera, SIZE)
    red, white = is_red(picture), is_like(picture, ZERO)
    eye, box = Eye.of(camera, SIZE, made.arrangement.bounds), made.boxes["fc.weight"]
    for row in range(4):
        for column in range(6):
            inner = [
                np.array(box.origin) + np.array(box.right) * (column + u) / 6 + np.array(box.down) * (row + u) / 4
                for u in (0.2, 0.8)
            ]
            (left, top, _), (right, bottom, _) = eye.project(np.array(inner)).round().astype(int)
            wanted = red if (row, column) == (1, 4) else white
            assert wanted[top:bottom, left:right].all() and bottom - top > 8 and right - left > 8


@pytest.mark.parametrize("size", [(64, 64), (63, 63), (40, 1000), (49, 392)])
@pytest.mark.parametrize("corner", [(0, 0), (-1, -1), (5, 7)])
def test_a_lone_weight_is_seen_from_everywhere(scene: Make, size, corner):
    values = torch.zeros(size)
    values[corner] = 1e-9
    made = bare(scene(fc_weight=values))
    camera = made.look_at("fc.weight", SIZE)
    for distance in (1.0, 1.3, 1.9, 2.7, 4.1, 6.3, 9.7):
        far = Camera(camera.azimuth, camera.elevation, camera.distance * distance, camera.target, camera.fov)
        assert is_red(made.draw(far, SIZE)).any(), distance


def test_signs_zero_and_what_is_no_number(scene: Make):
    values = torch.tensor([[-3.0, 0.0, 2.5, math.nan, math.inf, -math.inf, 1e-6, 7.0]]).repeat(4, 1)
    made = bare(scene(fc_weight=values))
    camera = made.look_at("fc.weight", SIZE)
    picture = made.draw(camera, SIZE)
    box = made.boxes["fc.weight"]
    eye = Eye.of(camera, SIZE, made.arrangement.bounds)
    for column, test in enumerate((is_blue, ZERO, is_red, LOUD, LOUD, LOUD, ZERO, is_red)):
        at = np.array(box.origin) + np.array(box.right) * (column + 0.5) / 8 + np.array(box.down) * 0.375
        x, y, _ = eye.project(at)
        found = test(picture) if callable(test) else is_like(picture, test)
        assert found[int(y), int(x)], column
    far = Camera(0.0, 0.0, camera.distance * 8, camera.target, camera.fov)
    assert is_like(made.draw(far, SIZE), LOUD).any(), "what is no number is loud at every level"


@pytest.mark.parametrize(("factor", "within"), [(2.0**-30, 0), (2.0**20, 0), (1e-9, 2), (1e6, 2)])
def test_the_scale_of_a_tensor_changes_only_its_legend(scene: Make, factor, within):
    values = torch.randn(40, 60, generator=torch.Generator().manual_seed(0))
    one, other = bare(scene(fc_weight=values)), bare(scene(fc_weight=values * factor))
    camera = one.home(SIZE)
    a, b = bytes_of(one.draw(camera, SIZE)), bytes_of(other.draw(camera, SIZE))
    assert np.abs(a - b).max() <= within
    one.legend = other.legend = True
    one.selected = other.selected = "fc.weight"
    assert (bytes_of(one.draw(camera, SIZE)) != bytes_of(other.draw(camera, SIZE)))[-28:].any()


@pytest.mark.parametrize("aggregate", ["peak", "rms"])
@pytest.mark.parametrize("distance", [1.0, 2.0, 3.5])
def test_a_strong_row_stands_out_at_every_level(scene: Make, aggregate, distance):
    values = torch.randn(64, 512, generator=torch.Generator().manual_seed(0))
    values[16:24] *= 10
    made = bare(scene(fc_weight=values))
    made.aggregate = aggregate
    camera = made.look_at("fc.weight", SIZE)
    camera.distance *= distance
    picture = made.draw(camera, SIZE)
    eye = Eye.of(camera, SIZE, made.arrangement.bounds)
    box = made.boxes["fc.weight"]
    assert made.sheets[0].map.grid == (64, 512)

    def chroma(row: float) -> float:
        across = np.linspace(0.1, 0.9, 40)[:, None]
        at = np.array(box.origin) + across * np.array(box.right) + np.array(box.down) * row / 64
        x, y, _ = eye.project(at).T
        colors = picture.numpy()[y.astype(int), x.astype(int)]
        return float((ZERO[1] - colors[:, 1]).mean())

    assert chroma(20) > 1.5 * chroma(44)


def test_a_changed_tensor_changes_its_own_pixels_only(scene: Make):
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(30, 40, generator=generator), torch.randn(30, 40, generator=generator)
    made = bare(scene(one_weight=first, two_weight=second))
    home = made.home(SIZE)
    camera = Camera(0.0, 0.0, home.distance, home.target, home.fov)
    before = made.draw(camera, SIZE)
    assert made.draw(camera, SIZE) is before, "nothing has changed, nothing is drawn"
    assert made.update({"one.weight": first, "unknown": first}) == []
    assert made.draw(camera, SIZE) is before
    assert made.update({"two.weight": -second}) == ["two.weight"]
    after = made.draw(camera, SIZE)
    changed = (bytes_of(before) != bytes_of(after)).any(-1)
    assert changed.any() and not (changed & ~on(made, "two.weight", camera)).any()
    second.mul_(2)
    assert made.update({"two.weight": second}) == ["two.weight"]
    assert made.update({"two.weight": second}) == []


def test_only_what_changed_is_uploaded(gl: None):
    from easel.inspector.drawing.renderer import NetworkRenderer

    tensors = {f"{name}.weight": torch.randn(64, 64) for name in "abc"}
    made = NetworkScene([TensorRef(name, tensor, module_path=name[0]) for name, tensor in tensors.items()])
    context = open_headless()
    with context:
        renderer = NetworkRenderer(context)
        camera = made.home(SIZE)
        renderer.draw(made, camera, SIZE)
        everything = renderer.moved_bytes
        renderer.draw(made, camera, SIZE)
        assert everything > 0 and renderer.moved_bytes == 0
        made.update({"b.weight": torch.zeros(64, 64)})
        renderer.draw(made, camera, SIZE)
        assert 0 < renderer.moved_bytes < everything / 2
        renderer.release()
    context.release()


def test_kernel_lines_come_near_and_go_far(scene: Make):
    made = bare(scene(conv_weight=torch.zeros(16, 16, 3, 3)))
    camera = made.look_at("conv.weight", SIZE)
    camera.distance /= 3
    near = bytes_of(made.draw(camera, SIZE))
    assert 0.02 < (near.max(-1) < 140).mean() < 0.3, "dark lines between the kernels"
    camera.distance *= 12
    far = made.draw(camera, SIZE)
    covered = on(made, "conv.weight", camera)
    assert covered.any() and is_like(far, ZERO)[covered].all(), "a zero sheet is plain from far"


def test_names_and_legend_are_in_the_picture(scene: Make):
    made = scene(fc_weight=torch.randn(30, 40), fc_bias=torch.randn(30))
    camera = made.home(SIZE)
    with_names = bytes_of(made.draw(camera, SIZE))
    made.labels = False
    assert made.legend
    without = bytes_of(made.draw(camera, SIZE))
    assert (with_names != without).any()
    legend = without[-28:]
    assert (legend[..., 2] > legend[..., 0] + 60).any() and (legend[..., 0] > legend[..., 2] + 60).any()


def test_the_value_under_the_mouse_is_marked(scene: Make):
    made = bare(scene(fc_weight=torch.zeros(4, 6)))
    camera = made.look_at("fc.weight", SIZE)
    assert not is_like(made.draw(camera, SIZE), AMBER, 3).any()
    made.hover = made.pick(camera, SIZE, 80, 60)
    assert is_like(made.draw(camera, SIZE), AMBER, 3).any()


def test_variances_have_the_map_of_one_sign(scene: Make):
    made = bare(scene("buffer", bn_var=torch.linspace(0, 1, 64).view(8, 8)))
    picture = made.draw(made.look_at("bn.var", SIZE), SIZE)
    assert not is_blue(picture).any() and not is_like(picture, ZERO, 4).any()


@pytest.fixture
def identities(gl: None) -> Iterator[Callable]:
    """`identities(scene, camera)`: per pixel the number of its sheet from 1 on, the row and the column of its cell."""
    fragment = (
        "#version 330\n"
        + read_shader("easel.inspector.drawing", "sheet_cells.glsl")
        + (
            "out vec4 color; void main() { vec2 at = uv * sheet[3].xy; ivec2 cell = cell_of(at) + ivec2(sheet[3].zw);"
            "color = vec4(sheet[0].w, vec2(cell.yx), texelFetch(values, ivec2(0), 0).r + sheet[21].x); }"
        )
    )
    context = open_headless()
    with context:
        brush = SheetBrush(context, fragment)
        texture, depth = (
            context.texture((SIZE[1], SIZE[0]), 4, dtype="f4"),
            context.depth_renderbuffer((SIZE[1], SIZE[0])),
        )
        framebuffer = context.framebuffer([texture], depth)

        def draw(scene: NetworkScene, camera: Camera) -> np.ndarray:
            framebuffer.use()
            framebuffer.clear()
            context.enable(moderngl.DEPTH_TEST)
            brush.begin(Eye.of(camera, SIZE, scene.arrangement.bounds).clip_from_world)
            levels = brush.texture(lambda _: np.zeros((1, 1), np.float16), (1, 1), 0)
            for number, sheet in enumerate(scene.sheets):
                for tile in range(len(sheet.tiles)):
                    table = sheet.table(tile).astype(np.float32)
                    table[0, 3] = number + 1
                    brush.draw(table, levels)
            levels.texture.release()
            data = np.frombuffer(framebuffer.read(components=4, dtype="f4"), np.float32)
            return data.reshape(*SIZE, 4)[::-1].astype(int)

        yield draw
        for part in (framebuffer, texture, depth, brush):
            part.release()
    context.release()


DTYPES = (torch.float32, torch.bfloat16, torch.int64, torch.float64)


def zoo() -> NetworkScene:
    """Tensors of many shapes and types."""
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "conv": (8, 4, 3, 3),
        "fc": (20, 30),
        "wte": (300, 4),
        "norm": (16,),
        "up": (4, 6, 2, 2),
        "wide": (3, 200),
    }
    refs = []
    for number, (name, shape) in enumerate(shapes.items()):
        tensor = (100 * torch.randn(shape, generator=generator)).to(DTYPES[number % len(DTYPES)])
        module = "ConvTranspose2d" if name == "up" else ""
        refs.append(TensorRef(f"{name}.weight", tensor, "parameter", name, (), module))
    refs.append(TensorRef("maps", torch.randn(1, 7, 5, 5, generator=generator), "activation", "maps"))
    return NetworkScene(refs)


@pytest.mark.parametrize(("azimuth", "elevation", "zoom"), [(0.0, 0.0, 1.0), (-0.5, 0.4, 0.6), (0.7, -0.3, 0.3)])
def test_picks_are_what_the_gpu_has_drawn(identities, azimuth, elevation, zoom):
    scene = zoo()
    home = scene.home(SIZE)
    camera = Camera(azimuth, elevation, home.distance * zoom, home.target, home.fov)
    drawn = identities(scene, camera)
    seen = 0
    generator = np.random.default_rng(0)
    for y, x in generator.permutation([(y, x) for y in range(SIZE[0]) for x in range(SIZE[1])])[:1200]:
        hit = scene.pick(camera, SIZE, x + 0.5, y + 0.5)
        number, row, column, _ = drawn[y, x]
        assert (hit is None) == (number == 0), (x, y)
        if hit is None:
            continue
        sheet = scene.sheets[number - 1]
        assert (hit.name, hit.cell) == (sheet.box.name, (row, column))
        if hit.index is not None:
            assert hit.value == sheet.tensor[hit.index].item()
            assert str(hit).startswith(f"{hit.name}[") and sheet.map.cell(hit.index) == hit.cell
        seen += 1
    assert seen > 30


def test_find_look_and_what_is_not_known(scene: Make):
    made = scene(conv_weight=torch.zeros(4, 2, 3, 3), conv_bias=torch.zeros(4), fc_weight=torch.zeros(3, 5))
    assert made.find("conv") == ["conv.weight", "conv.bias"] and made.find("*.weight") == ["conv.weight", "fc.weight"]
    hit = made.pick(made.look_at("fc.weight", SIZE, (1, 3)), SIZE, SIZE[1] / 2, SIZE[0] / 2)
    assert hit is not None and hit.name == "fc.weight"
    with pytest.raises(ValueError, match=r"no tensor 'fc2'.*conv\.weight"):
        made.look_at("fc2")
    with pytest.raises(ValueError, match=r"\(3, 5\).*\(5, 3\)"):
        made.update({"fc.weight": torch.zeros(5, 3)})
    with pytest.raises(ValueError, match="aggregate"):
        made.aggregate = "median"


def test_what_cannot_be_shown_is_an_empty_box(gl: None):
    refs = [
        TensorRef("fc.weight", torch.empty(8, 8, device="meta"), module_path="fc"),
        TensorRef("fc.bias", torch.empty(0), module_path="fc"),
        TensorRef("steps", torch.tensor(3)),
    ]
    made = NetworkScene(refs)
    assert [box.sheet for box in made.arrangement.boxes] == [None, None] and made.arrangement.scalars == ("steps",)
    assert made.draw(made.home(SIZE), SIZE).max() > 0.5
    assert NetworkScene([]).draw(Camera(), SIZE).shape == (*SIZE, 3)
    made.close()


def test_red_is_the_colour_of_the_limit(scene: Make):
    made = bare(scene(fc_weight=torch.full((3, 3), 0.25)))
    assert is_like(made.draw(made.look_at("fc.weight", SIZE), SIZE), POSITIVE[1], 1).sum() > 500


def test_without_opengl_the_picture_is_much_the_same(scene: Make):
    values = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    made, flat = bare(scene(fc_weight=values)), bare(scene(fc_weight=values))
    flat.fallback = "no OpenGL on this machine"
    camera = made.look_at("fc.weight", SIZE)
    camera.azimuth = 0.4
    one, other = bytes_of(made.draw(camera, SIZE)), bytes_of(flat.draw(camera, SIZE))
    data = (other != np.round(np.array(BACKGROUND) * 255)).any(-1)
    assert data.mean() > 0.2
    assert (np.abs(one - other).max(-1) <= 3)[data].mean() > 0.95, "but for the cells' edges"
    flat.labels = flat.legend = True
    assert (flat.draw(camera, SIZE)[-28:] > 0.9).any()


def test_the_focus_is_a_picture_of_one_tensor_or_kernel(scene: Make):
    values = torch.zeros(4, 3, 3, 3)
    values[2, 1, 0, 2], values[0, 0, 0, 0] = 1.0, -1.0
    made = scene(conv_weight=values)
    kernel = made.focus("conv.weight", (240, 320), (2, 1))
    assert kernel.shape == (240, 320, 3)
    red = is_like(kernel, POSITIVE[1]).nonzero()
    assert len(red[0]) > 100 and red[1].min() > 160, "the upper right cell of the kernel, and its bar"
    assert is_blue(made.focus("conv.weight", (240, 320))).any() and not is_blue(kernel[40:160]).any()
    with pytest.raises(ValueError, match="4 axes"):
        made.focus("conv.weight", (240, 320), (0, 0, 0, 0, 0))


class SimpleCNN(nn.Module):
    """Two convolutions and two linear layers for digits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(64 * 7 * 7, 128), nn.Linear(128, 10)


def test_every_tensor_of_a_network_is_seen(identities):
    scene = NetworkScene(tensors(SimpleCNN()))
    assert len(scene.sheets) == 8 and not scene.arrangement.scalars
    seen = set(np.unique(identities(scene, scene.home(SIZE))[..., 0]).tolist()) - {0}
    assert [scene.sheets[number - 1].box.name for number in sorted(seen)] == list(scene.boxes)


def test_a_tensor_beyond_the_largest_tile_is_drawn_whole(identities):
    ref = TensorRef("fc.weight", torch.randn(300, 70, generator=torch.Generator().manual_seed(0)), module_path="fc")
    scene = bare(NetworkScene([ref]))
    picture = scene.draw(scene.home(SIZE), SIZE)
    tiled = bare(NetworkScene([ref]))
    tiled.sheets[0].tiles = tiles_of(tiled.sheets[0].map.grid, 64)
    assert len(tiled.sheets[0].tiles) == 10
    close = np.abs(bytes_of(picture) - bytes_of(tiled.draw(scene.home(SIZE), SIZE))).max(-1) <= 40
    assert close.mean() > 0.8, "levels are cut elsewhere, the picture is the same"
    drawn = identities(tiled, tiled.home(SIZE))
    assert drawn[..., 1].max() > 290 and drawn[..., 2].max() > 65
    scene.close()
    tiled.close()


def test_fine_textures_come_over_several_pictures(scene: Make):
    made = bare(scene(one_weight=seeded(256, 256), two_weight=seeded(256, 256)))
    camera = made.home(SIZE)
    whole = bytes_of(made.draw(camera, SIZE))
    made.close()
    pictures = 0
    while not made.is_complete or not pictures:
        picture = bytes_of(made.draw(camera, SIZE, upload_bytes=1))
        pictures += 1
        assert pictures < 10
    assert pictures > 1 and (picture == whole).all()


def test_no_opengl_is_no_error(monkeypatch):
    def missing() -> None:
        raise GLUnavailable("EGL gives no OpenGL 3.3 context")

    monkeypatch.setattr("easel.inspector.network_scene.RenderThread", missing)
    made = NetworkScene([TensorRef("fc.weight", seeded(8, 8), module_path="fc")])
    assert made.draw(made.home(SIZE), SIZE).shape == (*SIZE, 3)
    assert made.fallback == "EGL gives no OpenGL 3.3 context" and made.is_complete
