import numpy as np
import pytest
import torch

from easel.fields.volumes.pyvista_grid import to_pyvista

pyvista = pytest.importorskip("pyvista", reason="needs PyVista: pip install 'torch-easel[volume]'")


def test_a_grid_has_the_volumes_colours_at_its_places():
    volume = torch.rand(4, 5, 6, 3)
    grid = to_pyvista(volume, opacity="linear")
    assert grid.dimensions == (4, 5, 6)
    where = grid.find_closest_point((1, -1, 1))  # the last voxel of X, the first of Y, the last of Z
    rgba = grid.point_data["rgba"]
    assert rgba.dtype == np.uint8 and np.array_equal(rgba[where, :3], (volume[3, 0, 5] * 255).round().byte().numpy())
    alpha = rgba[:, 3].reshape(6, 5, 4).transpose(2, 1, 0)
    assert np.corrcoef(alpha.ravel(), volume[..., 0].ravel().numpy())[0, 1] > 0.99 and alpha.max() == 255


def test_an_unknown_opacity_is_told():
    with pytest.raises(ValueError, match="norm/mean"):
        to_pyvista(torch.rand(2, 2, 2, 3), opacity="mean")
