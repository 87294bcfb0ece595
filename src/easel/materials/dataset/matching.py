"""The homography between two photos of one flat material where no camera is known.

1. Features: SIFT, with the ratio test. Lowe 2004, "Distinctive image features from scale-invariant keypoints".
2. A first homography: RANSAC over pairs of features. Fischler and Bolles 1981.
3. Its refinement: Gauss–Newton on the difference of local contrast, which ignores how evenly each photo was lit, by the
   inverse compositional algorithm. Baker and Matthews 2004, "Lucas–Kanade 20 years on".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from easel.graphics.camera import apply_homography, homography
from easel.materials.dataset.rectify import is_convex, texel_centers

Homography = Float[Tensor, "3 3"]
"""Matrix that takes (x, y, 1) of one picture to pixels of another."""

WORKING_PIXELS = 384
"""Longer side at which photos are compared: larger ones are shrunk to it, smaller ones at most doubled."""
MOST_ENLARGEMENT = 2.0
"""Photos of 128 pixels match twice as often when they are enlarged."""
FEATURE_RATIO = 0.8
"""A feature's best partner is nearer than this share of the second best. Lowe 2004, section 7.1."""
RANSAC_PIXELS = 2.0
"""Distance from its partner, at the working size, up to which a mapped feature agrees."""
RANSAC_TRIALS = 4000
"""Sets of four pairs that are tried."""
RANSAC_SQUARE_PIXELS = 100.0
"""Twice the smallest triangle that four points may make."""
CANDIDATES = 32
"""Homographies with most inliers, of which the first plausible one is taken."""
LEAST_INLIERS = 8
"""Pairs of features that must agree; four always do."""
LEAST_AGREEMENT = 0.5
"""Correlation of local contrast below which two photos do not show the same."""
LEAST_OVERLAP = 0.15
"""Share of the reference that the photo must show."""
CONTRAST_PIXELS = 9
"""Reach of the mean and deviation that local contrast is measured against."""
REFINEMENTS = ((0.25, 40), (0.5, 30), (1.0, 20))
"""Share of the working size, and Gauss–Newton steps there: coarse to fine, because each step sees a few pixels far."""


@dataclass(frozen=True, eq=False)
class Match:
    """Homography from a reference to a photo, and how well it is supported."""

    to_photo: Homography | None
    """Pixels of the reference → pixels of the photo; None where no match can be relied on."""
    inliers: int
    """Pairs of features that agree."""
    agreement: float
    """Correlation, up to 1, of the local contrast of both where they overlap."""
    reason: str = ""
    """Reason why there is no match, in a few words."""


@dataclass(frozen=True, eq=False)
class Features:
    """SIFT features of a photo, and the photo as it is compared."""

    size: tuple[int, int]
    """Height and width of the photo itself, in pixels."""
    grey: Float[Tensor, "h w"]
    """Photo at the working size."""
    points: np.ndarray
    """Positions (n, 2): x and y in pixels of `grey`."""
    descriptors: np.ndarray
    """SIFT descriptors (n, 128)."""

    @property
    def to_working(self) -> Homography:
        """Matrix from pixels of the photo to those of `grey`."""
        height, width = self.size
        return torch.diag(torch.tensor([self.grey.shape[1] / width, self.grey.shape[0] / height, 1])).double()


def features_of(photo: Float[Tensor, "3 h w"]) -> Features:
    """Detect the features of a photo, in about a third of a second."""
    from skimage.feature import SIFT

    size = photo.shape[-2], photo.shape[-1]
    scale = min(MOST_ENLARGEMENT, WORKING_PIXELS / max(size))
    working = [max(8, round(length * scale)) for length in size]
    small = torch.nn.functional.interpolate(photo[None], working, mode="bilinear", antialias=True)
    grey = small[0].mean(0).clamp(0, 1)
    sift = SIFT(upsampling=1)
    try:
        sift.detect_and_extract(grey.double().numpy())
    except RuntimeError:
        # Its way to say that there are none
        return Features(size, grey, np.zeros((0, 2)), np.zeros((0, 128)))
    assert sift.keypoints is not None and sift.descriptors is not None, "it raises where it finds none"
    # Its keypoints are rows and columns that count from the centre of the first pixel.
    return Features(size, grey, sift.keypoints[:, ::-1] + 0.5, sift.descriptors)


def match(reference: Features, photo: Features, generator: torch.Generator) -> Match:
    """Find `photo` in the frame of `reference`; a match that cannot be relied on says why."""
    start, inliers = _from_features(reference, photo, generator)
    if start is None:
        return Match(None, inliers, 0.0, f"only {inliers} features agree, {LEAST_INLIERS} are needed")
    if reason := _implausible(start, reference, photo):
        return Match(None, inliers, 0.0, reason)
    refined = start
    for share, steps in REFINEMENTS:
        refined = _refined(reference.grey, photo.grey, refined, share, steps)
    candidates = [(agreement(reference.grey, photo.grey, matrix), matrix) for matrix in (refined, start)]
    best, matrix = max(candidates, key=lambda candidate: candidate[0])
    if reason := _implausible(matrix, reference, photo):
        return Match(None, inliers, best, reason)
    if best < LEAST_AGREEMENT:
        return Match(None, inliers, best, f"what they show agrees by {best:.2f} only, {LEAST_AGREEMENT} is needed")
    to_photo = torch.linalg.inv(photo.to_working) @ matrix @ reference.to_working
    return Match((to_photo / to_photo[2, 2]).float(), inliers, best)


def _from_features(reference: Features, photo: Features, generator: torch.Generator) -> tuple[Homography | None, int]:
    """Return the homography that most pairs of features agree on, and their number."""
    from skimage.feature import match_descriptors

    if min(len(reference.points), len(photo.points)) < LEAST_INLIERS:
        return None, 0
    pairs = match_descriptors(reference.descriptors, photo.descriptors, max_ratio=FEATURE_RATIO, cross_check=True)
    if len(pairs) < LEAST_INLIERS:
        return None, len(pairs)
    source = torch.from_numpy(reference.points[pairs[:, 0]])
    target = torch.from_numpy(photo.points[pairs[:, 1]])
    quads = torch.randint(len(pairs), (RANSAC_TRIALS, 4), generator=generator)
    before, after = (_triangle_areas(points[quads]) for points in (source, target))
    # Seen from the same side, every three points keep their sense of rotation; points on a line tell nothing.
    sound = ((before * after > 0) & (before.abs() > RANSAC_SQUARE_PIXELS)).all(-1)
    if not sound.any():
        return None, 0
    matrices = homography(source[quads[sound]], target[quads[sound]])
    agreeing = _agreeing(matrices, source, target)
    counts, best = agreeing.sum(-1).topk(min(CANDIDATES, len(matrices)))
    if counts[0] < LEAST_INLIERS:
        return None, int(counts[0])
    # Four close points that are slightly wrong can please many others by looking at the plane from its edge.
    sane = (index for index in best.tolist() if not _implausible(matrices[index], reference, photo))
    index = next(sane, int(best[0]))
    inliers = agreeing[index]
    fitted = _fitted(source[inliers], target[inliers])
    count = int(_agreeing(fitted[None], source, target).sum())
    # Least squares over all inliers, unless it loses some of them
    if count >= int(inliers.sum()):
        return fitted, count
    return matrices[index], int(inliers.sum())


def _triangle_areas(quads: Float[Tensor, "t 4 2"]) -> Float[Tensor, "t 4"]:
    """Return twice the signed area of each triangle among four points."""
    corners = quads[:, torch.tensor([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])]
    (ux, uy), (vx, vy) = ((corners[:, :, k] - corners[:, :, 0]).unbind(-1) for k in (1, 2))
    return ux * vy - uy * vx


def _agreeing(
    matrices: Float[Tensor, "t 3 3"], source: Float[Tensor, "n 2"], target: Float[Tensor, "n 2"]
) -> Bool[Tensor, "t n"]:
    """Return True for the pairs that each homography maps upon one another."""
    mapped = torch.nn.functional.pad(source, (0, 1), value=1.0) @ matrices.mT
    return (mapped[..., :2] / mapped[..., 2:] - target).norm(dim=-1) < RANSAC_PIXELS


def _fitted(source: Float[Tensor, "n 2"], target: Float[Tensor, "n 2"]) -> Homography:
    """Fit a homography to more than the four points of `graphics.camera.homography`, by least squares."""
    ones, zeros = torch.ones(len(source), 1, dtype=source.dtype), torch.zeros(len(source), 3, dtype=source.dtype)
    points = torch.cat([source, ones], dim=1)
    across = torch.cat([points, zeros, -target[:, :1] * source], dim=1)
    down = torch.cat([zeros, points, -target[:, 1:] * source], dim=1)
    entries = torch.linalg.lstsq(torch.cat([across, down]), torch.cat([target[:, 0], target[:, 1]])[:, None]).solution
    return torch.cat([entries[:, 0], ones[0]]).view(3, 3)


def _implausible(matrix: Homography, reference: Features, photo: Features) -> str:
    """Return the fault of a homography that should be another look at the same plane; "" where it has none."""
    height, width = reference.grey.shape
    corners = matrix.new_tensor([[0, 0], [width, 0], [width, height], [0, height]])
    divisors = torch.nn.functional.pad(corners, (0, 1), value=1.0) @ matrix[2]
    if not matrix.isfinite().all() or not (divisors * divisors[0] > 0).all():
        return "the match has its horizon inside the photo"
    mapped = apply_homography(matrix, corners)
    if not is_convex(mapped):
        return "the match is mirrored or folded"
    x, y = mapped.unbind(-1)
    # The shoelace formula, in sizes of the photo
    area = 0.5 * float((x * y.roll(-1) - y * x.roll(-1)).sum()) / (photo.grey.shape[0] * photo.grey.shape[1])
    if not 1 / 16 < area < 16:
        return f"the match makes the material {area:.2g} times as large"
    seen = float(_looked_up(photo.grey, matrix, (height, width))[1].mean())
    return f"they share only {seen:.0%} of what they show" if seen < LEAST_OVERLAP else ""


def agreement(reference: Float[Tensor, "h w"], photo: Float[Tensor, "h2 w2"], matrix: Homography) -> float:
    """Return the correlation of local contrast where `matrix` makes both overlap."""
    seen, inside = _looked_up(contrast(photo), matrix, (reference.shape[0], reference.shape[1]))
    truth = contrast(reference)
    return float((truth * seen * inside).sum() / ((truth**2 * inside).sum() * (seen**2 * inside).sum() + 1e-12).sqrt())


def contrast(grey: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Return the local contrast: (pixel - mean) / deviation of its surroundings, which uneven light leaves as it is."""

    def around(values: Tensor) -> Tensor:
        # Twice a box is nearly a bell, at a fraction of its cost
        for _ in range(2):
            padded = torch.nn.functional.pad(values[None, None], [CONTRAST_PIXELS // 2] * 4, mode="replicate")
            for box in ((CONTRAST_PIXELS, 1), (1, CONTRAST_PIXELS)):
                padded = torch.nn.functional.avg_pool2d(padded, box, 1)
            values = padded[0, 0]
        return values

    offset = grey - around(grey)
    # 0.01: noise of a camera. Without it, flat places would be nothing but amplified noise.
    return offset / (around(offset**2) + 0.01**2).sqrt()


def _refined(
    reference: Float[Tensor, "h w"], photo: Float[Tensor, "h2 w2"], matrix: Homography, share: float, steps: int
) -> Homography:
    """Refine `matrix` to where local contrast agrees best, at `share` of the size."""
    truth = contrast(_resized(reference, share))
    seen = contrast(_resized(photo, share))
    reference_to_small = _scaling(reference.shape, truth.shape).to(matrix)
    photo_to_small = _scaling(photo.shape, seen.shape).to(matrix)
    height, width = truth.shape
    current = photo_to_small @ matrix @ torch.linalg.inv(reference_to_small)
    # Coordinates of about one size keep the eight equations well conditioned.
    unit = matrix.new_tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
    jacobian = _jacobian(truth, unit)
    for _ in range(steps):
        found, inside = _looked_up(seen, current, (height, width))
        difference = (found - truth).flatten().double()
        # Weights of Geman and McClure: highlights and shadows, which are no texture, hardly count.
        weight = inside.flatten().double() / (1 + difference**2) ** 2
        normal = jacobian.T @ (weight[:, None] * jacobian)
        # Levenberg's damping, so small that it matters only where the photos say nothing about some of the numbers
        normal += 1e-6 * normal.diagonal().mean() * torch.eye(8, dtype=normal.dtype)
        delta = torch.linalg.solve(normal, jacobian.T @ (weight * difference))
        # Lost: a tenth of the picture in one step
        if not delta.isfinite().all() or delta.abs().max() > 0.2:
            break
        step = torch.eye(3, dtype=matrix.dtype).flatten()
        step[:8] += delta
        # Inverse compositional: the step was found on the reference, and is undone there before the photo is looked up
        current = current @ torch.linalg.inv(unit) @ torch.linalg.inv(step.view(3, 3)) @ unit
        if delta.abs().max() < 1e-4:
            break
    return torch.linalg.inv(photo_to_small) @ current @ reference_to_small


def _scaling(before: Sequence[int], after: Sequence[int]) -> Homography:
    """Return the matrix from pixels of a picture of one (height, width) to those of the same picture of another."""
    return torch.diag(torch.tensor([after[1] / before[1], after[0] / before[0], 1], dtype=torch.float64))


def _jacobian(truth: Float[Tensor, "h w"], unit: Homography) -> Float[Tensor, "n 8"]:
    """Return the derivative of each pixel by the eight numbers of a homography, at the identity, in [-1, 1]²."""
    height, width = truth.shape
    down, right = torch.gradient(truth.double())
    right = right.flatten() / unit[0, 0]
    down = down.flatten() / unit[1, 1]
    x, y = apply_homography(unit, texel_centers((height, width))).flatten(0, 1).unbind(-1)
    inwards = -(right * x + down * y)
    return torch.stack([right * x, right * y, right, down * x, down * y, down, inwards * x, inwards * y], dim=-1)


def _looked_up(
    picture: Float[Tensor, "h2 w2"], matrix: Homography, size: tuple[int, int]
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """Sample the picture where `matrix` sends each pixel of a reference of `size`; the second is 1 inside it."""
    height, width = picture.shape
    place = apply_homography(matrix, texel_centers(size)) / matrix.new_tensor([width, height]) * 2 - 1
    inside = (place.abs() <= 1).all(-1)
    # Clamped in float64: places near the horizon overflow float32
    grid = place.clamp(-2, 2).to(picture.dtype)[None]
    found = torch.nn.functional.grid_sample(picture[None, None], grid, padding_mode="border", align_corners=False)
    return found[0, 0], inside.to(picture.dtype)


def _resized(grey: Float[Tensor, "h w"], share: float) -> Float[Tensor, "h2 w2"]:
    size = [max(8, round(length * share)) for length in grey.shape]
    return torch.nn.functional.interpolate(grey[None, None], size, mode="bilinear", antialias=True)[0, 0]
