"""A field's shader computes what the field computes; its page shows it in a real browser."""

import base64
import json
import re
from collections.abc import Callable

import moderngl
import numpy as np
import pytest
import torch
from torch import nn

from easel.fields.art.architecture import Architecture, build
from easel.fields.export.glsl import ShaderError
from easel.fields.export.shader import FieldShader, to_shader
from easel.fields.export.web_page import PageSettings, save_page
from easel.fields.model.config import FieldConfig
from easel.fields.model.coordinates import pixel_centers
from easel.fields.model.field import Field, build_field
from easel.fields.rendering.render import render

SIZE = (12, 16)


@pytest.fixture
def values_of(gl) -> Callable[..., np.ndarray]:
    """Runs a shader at the pixel centres of a picture of SIZE; (h, w, channels), at most three of them."""

    def run(shader: FieldShader, latent: list[float] | None = None) -> np.ndarray:
        height, width = SIZE
        third = "point[2] = 0.25;" if shader.dimensions == 3 else ""
        results = ", ".join(f"raw[{k}]" if k < shader.channels else "0.0" for k in range(3))
        main = f"""
            uniform float latent[{max(shader.latents, 1)}];
            out vec4 color;
            void main() {{
                float point[{shader.dimensions}];
                point[0] = 2.0 * gl_FragCoord.y / {height}.0 - 1.0;
                point[1] = 2.0 * gl_FragCoord.x / {width}.0 - 1.0;
                {third}
                float raw[{shader.channels}];
                field(point, latent, raw);
                color = vec4({results}, 1.0);
            }}"""
        with moderngl.create_context(standalone=True, backend="egl", require=330) as context:
            program = context.program(
                vertex_shader="#version 330\nin vec2 at; void main() { gl_Position = vec4(at, 0.0, 1.0); }",
                fragment_shader="#version 330\n" + shader.source + main,
            )
            texels = np.zeros((-(-len(shader.weights) // 64), 64, 4), np.float32)
            texels.reshape(-1, 4)[: len(shader.weights)] = shader.weights.numpy()
            weights = context.texture((64, len(texels)), 4, texels.tobytes(), dtype="f4")
            weights.filter = (moderngl.NEAREST, moderngl.NEAREST)
            weights.use(0)
            if latent and "latent" in program:
                program["latent"].write(np.array(latent, np.float32).tobytes())
            target = context.framebuffer([context.texture((width, height), 4, dtype="f4")])
            target.use()
            corners = context.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())
            context.vertex_array(program, [(corners, "2f", "at")]).render()
            pixels = np.frombuffer(target.read(components=4, dtype="f4"), np.float32)
        context.release()
        return pixels.reshape(height, width, 4)[..., : shader.channels]

    return run


def difference(values_of, field: Field, dimensions: int = 2) -> float:
    """Largest difference between the shader and torch, at 64 bits for a chaotic field's sake."""
    coords = pixel_centers(SIZE)
    if dimensions == 3:
        coords = torch.cat([coords, torch.full((len(coords), 1), 0.25)], dim=1)
    latent = None if field.latent is None else field.latent.tolist()
    got = values_of(to_shader(field, dimensions, field.latent_dim), latent)
    with torch.no_grad():
        expected = field(coords).view(*SIZE, -1).numpy()
    return float(np.abs(got - expected).max())


@pytest.mark.parametrize(
    ("topology", "dimensions"), [("mlp", 2), ("mlp", 3), ("simple", 2), ("conv", 3), ("WS", 2), ("siren", 3)]
)
def test_every_topology_has_a_shader(values_of, topology, dimensions):
    small = Architecture(topology=topology, dimensions=dimensions, width=8)
    assert difference(values_of, build(small, seed=5), dimensions) < 2 / 255


@pytest.mark.parametrize(
    ("encoding", "network"), [("grid", "relu"), ("fourier", "relu"), ("identity", "finer"), ("identity", "wire")]
)
def test_every_network_that_is_fitted_has_a_shader(values_of, encoding, network):
    config = FieldConfig(encoding=encoding, network=network, hidden=8, grid_parameters=500)
    field = build_field(config, SIZE, generator=torch.Generator().manual_seed(0))
    assert difference(values_of, field) < 3e-4  # with frequencies of 30 a field is that sensitive


class Everything(nn.Module):
    """One point through many an operation."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        names = (
            "GELU Softplus Mish ELU SELU CELU Hardtanh LeakyReLU LogSigmoid Softshrink RReLU Tanhshrink SiLU Hardswish"
        )
        self.activations = nn.ModuleList([*(getattr(nn, name)() for name in names.split()), nn.GELU("tanh")])
        self.first, self.last = nn.Linear(5, 8), nn.Linear(8, 3)
        self.norms = nn.ModuleList([nn.LayerNorm(8), nn.BatchNorm1d(8)])

    def forward(self, coords: torch.Tensor) -> torch.Tensor:
        radius = coords.norm(dim=1, keepdim=True)
        inputs = torch.cat([coords, radius, torch.atan2(coords[:, :1], coords[:, 1:]), coords.flip(1)[:, :1] ** 2], 1)
        features = self.first(inputs)
        for activation in self.activations:
            features = features + activation(features).clamp(-2.0, 2.0)
        for norm in self.norms:
            features = norm(features)
        return self.last(torch.where(features > 0.1, features.sin(), features.cos().mean(1, keepdim=True)))


def test_activations_norms_and_choices(values_of):
    module = Everything().eval()
    with torch.no_grad():
        expected = module(pixel_centers(SIZE)).view(*SIZE, 3).numpy()
    assert np.abs(values_of(to_shader(module, 2)) - expected).max() < 1e-4


@pytest.mark.parametrize("at", [0.0, 1e-3, 1.5, 3.2, -400.0, 3000.0])
def test_sines_far_from_zero(values_of, at):
    class Far(nn.Module):
        def forward(self, coords: torch.Tensor) -> torch.Tensor:
            return torch.cat([(coords + at).sin(), (coords[:, :1] + at).cos()], dim=1)

    with torch.no_grad():
        expected = Far()(pixel_centers(SIZE)).view(*SIZE, 3).numpy()
    assert np.abs(values_of(to_shader(Far(), 2)) - expected).max() < 3e-4


@pytest.mark.slow
def test_the_module_keeps_its_mode():
    module = Everything().train()
    module.norms[0].eval()
    to_shader(module, 2)
    assert module.training and not module.norms[0].training


class Sorted(nn.Module):
    def forward(self, coords: torch.Tensor) -> torch.Tensor:
        return coords.sort(dim=1).values


class Neighbours(nn.Module):
    def forward(self, coords: torch.Tensor) -> torch.Tensor:
        return coords - coords[:1] * torch.arange(len(coords))[:, None]


@pytest.mark.slow
def test_what_has_no_shader_form_is_named():
    with pytest.raises(ShaderError, match="'sort'"):
        to_shader(Sorted(), 2)
    with pytest.raises(ShaderError, match="one point"):
        to_shader(Neighbours(), 2)


PROBE = """<script>
  const bytes = easel.pixels(easel.opening(), WIDTH, HEIGHT);
  const probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = btoa(String.fromCharCode(...bytes));
  document.body.append(probe);
</script></body>"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mlp", "grid"])
def test_a_browser_shows_the_picture(tmp_path, browse, kind):
    size = (18, 24)
    if kind == "mlp":
        field = build(Architecture(topology="mlp"), seed=3)
    else:
        field = build_field(FieldConfig(), size, generator=torch.Generator().manual_seed(1))
        for parameter in field.parameters():
            torch.nn.init.normal_(parameter, 0.2, 0.3, generator=torch.Generator().manual_seed(2))
    latent = [] if field.latent is None else field.latent.tolist()
    page = tmp_path / "page.html"
    save_page(page, to_shader(field, 2, len(latent)), PageSettings(size, latent=latent), title="<b>&")
    probe = PROBE.replace("WIDTH", "24").replace("HEIGHT", "18")
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", probe), encoding="utf-8")
    document = browse(page)
    found = re.search(r'id="probe">([^<]+)<', document)
    assert found, document[-2000:]
    shown = np.frombuffer(base64.b64decode(found[1]), np.uint8).reshape(*size, 4)[..., :3]
    expected = (render(field, size) * 255).round().to(torch.uint8).numpy()
    assert np.abs(shown.astype(int) - expected).max() <= 2
    assert "<title>&lt;b&gt;&amp;</title>" in document and "default-src 'none'" in document


def test_a_page_fetches_nothing_and_holds_its_recipe(tmp_path):
    field = build(Architecture(topology="siren", width=8), seed=1)
    shader = to_shader(field, 2, 8)
    page = tmp_path / "page.html"
    assert field.latent is not None
    recipe = {"seed": 1, "note": "</script><script>alert(1)</script>"}
    save_page(page, shader, PageSettings((8, 8), latent=field.latent.tolist()), recipe=recipe)
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=\s*[\"']|https?:|import\(|fetch\(", text)
    inside = re.search(r'id="recipe">(.*?)</script>', text, re.DOTALL)
    assert inside and json.loads(inside[1]) == recipe


@pytest.mark.slow
def test_a_page_refuses_what_it_cannot_show(tmp_path):
    field = build(Architecture(topology="siren", width=8, channels=5), seed=1)
    with pytest.raises(ValueError, match="1 to 4 channels"):
        save_page(tmp_path / "page.html", to_shader(field, 2, 8), PageSettings((8, 8), latent=[0.0] * 8))
    field = build(Architecture(topology="siren", width=8), seed=1)
    with pytest.raises(ValueError, match="8 numbers; got 0"):
        save_page(tmp_path / "page.html", to_shader(field, 2, 8), PageSettings((8, 8)))
    assert list(tmp_path.iterdir()) == []
