"""Our highlights against Mitsuba 3's `roughconductor`, where it happens to be installed: no other test needs it."""

import importlib.util
import json
import subprocess
import sys

import pytest
import torch

from easel.materials.rendering.brdf import Brdf, Surface, reflectance

PROGRAM = """
import json, sys
import mitsuba as mi
mi.set_variant("scalar_rgb")
values = []
for alpha, l, v in json.load(sys.stdin):
    bsdf = mi.load_dict({"type": "roughconductor", "distribution": "ggx", "alpha": alpha, "material": "none"})
    si = mi.SurfaceInteraction3f()
    si.wi = mi.Vector3f(*v)
    si.sh_frame = mi.Frame3f(mi.Vector3f(0, 0, 1))
    values.append(float(bsdf.eval(mi.BSDFContext(), si, mi.Vector3f(*l))[0]))
print(json.dumps(values))
"""


@pytest.mark.skipif(importlib.util.find_spec("mitsuba") is None, reason="mitsuba is not installed")
def test_highlights_are_those_of_mitsubas_rough_conductor():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for roughness in (0.2, 0.4, 0.7, 1.0):
        for _ in range(25):
            v = torch.randn(3, generator=generator, dtype=torch.float64)
            v[2] = v[2].abs() + 0.2
            v = torch.nn.functional.normalize(v, dim=0)
            # Around the mirrored direction, within a few widths of the lobe
            light = torch.stack([-v[0], -v[1], v[2]])
            light = light + 1.5 * roughness**2 * torch.randn(3, generator=generator, dtype=torch.float64)
            light = torch.nn.functional.normalize(torch.stack([light[0], light[1], light[2].abs() + 0.01]), dim=0)
            cases.append((roughness, light, v))
    request = json.dumps([(roughness**2, light.tolist(), v.tolist()) for roughness, light, v in cases])
    run = subprocess.run([sys.executable, "-c", PROGRAM], input=request, capture_output=True, text=True, check=True)
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    up = torch.tensor([0, 0, 1], dtype=torch.float64).reshape(3, 1, 1)
    ours = []
    for roughness, light, v in cases:
        mirror = Surface(one.expand(3, 1, 1), roughness * one, one, up)
        _, specular = reflectance(mirror, light.reshape(3, 1, 1), v.reshape(3, 1, 1), Brdf(smith="separable"))
        ours.append(specular[0].item() * light[2].item())
    torch.testing.assert_close(torch.tensor(ours), torch.tensor(json.loads(run.stdout)), rtol=0.02, atol=1e-4)
