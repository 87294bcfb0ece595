"""GLSL ES 3.00, the language of WebGL 2, for one point: arithmetic on numbers with ids, products, sums and grids."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

Number = float | int

# Where drivers compute less exactly than torch, or GLSL has no such function, a formula names one of `HELPERS`.
FORMULAS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "abs": "abs({0})",
    "sign": "sign({0})",
    "floor": "floor({0})",
    "round": "roundEven({0})",
    "sin": "sine({0})",
    "cos": "cosine({0})",
    "atan": "atan({0})",
    "atan2": "atan({0}, {1})",
    "exp": "exp({0})",
    "expm1": "exp({0}) - 1.0",
    "log": "log({0})",
    "log1p": "log(1.0 + {0})",
    "sqrt": "sqrt({0})",
    "rsqrt": "inversesqrt({0})",
    "reciprocal": "1.0 / {0}",
    "tanh": "bounded_tanh({0})",
    "sigmoid": "1.0 / (1.0 + exp(-{0}))",
    "erf": "error_function({0})",
    "relu": "max({0}, 0.0)",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "where": "({0} != 0.0 ? {1} : {2})",
    "gt": "float({0} > {1})",
    "ge": "float({0} >= {1})",
    "lt": "float({0} < {1})",
    "le": "float({0} <= {1})",
    "eq": "float({0} == {1})",
    "ne": "float({0} != {1})",
    "logical_and": "{0} * {1}",
    "logical_not": "1.0 - {0}",
}
"""Operations of torch → their formulas on single numbers. Truth is 1.0 and falsehood 0.0."""

HELPERS = """
uniform highp sampler2D weights;
uniform int zero;  // never set; a loop whose length a compiler knows is unrolled, which can take it minutes

vec4 four_weights(int texel) {
    int width = textureSize(weights, 0).x;
    return texelFetch(weights, ivec2(texel % width, texel / width), 0);
}

float weight(int number) { return four_weights(number >> 2)[number & 3]; }

// Drivers' own sines lose digits, far from 0 most of all. One turn is taken off in two parts, the first of few bits.
float within_turn(float x) {
    float turns = round(x * 0.15915494309189535);
    return (x - turns * 6.28125) - turns * 1.9353071795864769e-3;
}

// Taylor's series within a quarter turn; off by at most 6e-8.
float quarter_sine(float x) {
    float s = x * x;
    return x + x * s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s * (1.0 / 362880.0 - s / 39916800.0))));
}

float sine(float x) {
    x = within_turn(x);
    return quarter_sine(abs(x) > 1.5707963267948966 ? sign(x) * 3.141592653589793 - x : x);
}

float cosine(float x) { return quarter_sine(1.5707963267948966 - abs(within_turn(x))); }

// Some drivers overflow in tanh where it has long been 1.
float bounded_tanh(float x) { return tanh(clamp(x, -15.0, 15.0)); }

// Abramowitz and Stegun 7.1.26; off by at most 1.5e-7.
float error_function(float x) {
    float t = 1.0 / (1.0 + 0.3275911 * abs(x));
    float sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - sum * exp(-x * x));
}

// A grid's node at the lower side of x, and how far x lies beyond it; outside the grid its border goes on.
float node(float x, int nodes, bool corners, out float beyond) {
    float place = corners ? (x + 1.0) * 0.5 * float(nodes - 1) : ((x + 1.0) * float(nodes) - 1.0) * 0.5;
    place = clamp(place, 0.0, float(nodes - 1));
    float lower = min(floor(place), max(float(nodes - 2), 0.0));
    beyond = place - lower;
    return lower;
}
"""


@dataclass(frozen=True)
class Numbers:
    """A tensor of numbers that the shader computes, by their ids."""

    ids: Int[Tensor, "..."]


class ShaderError(ValueError):
    """The field computes something that has no shader form; the message says what."""


class Writer:
    """Writer of statements that compute numbers for one point, and of the texture of weights.

    Every number has an id, and a tensor of numbers is a tensor of ids of its shape. Whoever asks twice for the same
    combination of numbers gets one statement.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        # (first id, GLSL name) of every array, ids ascending: an id is found by a search, and ids need no table.
        self._arrays: list[tuple[int, str]] = []
        self._ids = 0
        self._weights: list[np.ndarray] = []
        self._texels = 0

    def input(self, name: str, shape: Sequence[int]) -> "Numbers":
        """Declare the array of that name, the same for every point; `shape` ends with its length."""
        return Numbers(self._new_ids(name, shape[-1]).expand(*shape))

    def name(self, number: int) -> str:
        """Return the GLSL expression of a number, such as "v3[7]"."""
        first, array = next(entry for entry in reversed(self._arrays) if entry[0] <= number)
        return f"{array}[{number - first}]"

    def packed_weights(self) -> Float[Tensor, "texels 4"]:
        """Return the texture of weights; its first texel is there even if no weight is."""
        return torch.from_numpy(np.concatenate([np.zeros((1, 4), np.float32), *self._weights]))

    def constant(self, values: Tensor) -> "Numbers":
        """Read known numbers from the texture."""
        array, ids = self._declare(values.numel())
        start = 4 * self._store(values.flatten().float())
        count = values.numel()
        self.statements.append(f"    for (int i = 0; i < {count} + zero; i++) {array}[i] = weight({start} + i);\n")
        return Numbers(ids.view(values.shape))

    def formula(self, formula: str, operands: Sequence[Any]) -> "Numbers":
        """Write one statement, or one loop, for an elementwise operation on ids, tensors and plain numbers."""
        texts: list[str | None] = []
        tensors = []
        for operand in operands:
            if isinstance(operand, Tensor) and operand.numel() > 1:
                operand = self.constant(operand)
            if isinstance(operand, Numbers):
                texts.append(None)
                tensors.append(operand.ids)
            else:
                texts.append(literal(float(operand)))
        rows, inverse, shape = _distinct(torch.broadcast_tensors(*tensors))
        array, ids = self._declare(len(rows))
        columns = list(zip(*rows, strict=True))
        # A loop needs operands that follow one another in one array; all else is unrolled.
        run = all(_runs(column) and self._home(column[0]) == self._home(column[-1]) for column in columns)

        def expression(row: Sequence[str]) -> str:
            names = iter(row)
            return formula.format(*(next(names) if text is None else text for text in texts))

        result = Numbers(ids[inverse].view(shape))
        if run and len(rows) > 2:
            parts = [self._running(column) for column in columns]
            loop = f"for (int i = 0; i < {len(rows)} + zero; i++)"
            self.statements.append(f"    {loop} {array}[i] = {expression(parts)};\n")
            return result
        for place, row in enumerate(rows):
            text = expression([self.name(number) for number in row])
            self.statements.append(f"    {array}[{place}] = {text};\n")
        return result

    def sums(self, values: "Numbers", dims: Sequence[int] | None, keepdim: bool, term: str, whole: str) -> "Numbers":
        """Write sums over axes; `term` is added for every number, `whole` made of the sum."""
        ids = values.ids
        dims = sorted(d % ids.ndim for d in dims or range(ids.ndim))
        kept = [d for d in range(ids.ndim) if d not in dims]
        moved = ids.permute(*kept, *dims)
        rows, inverse, shape = _distinct(list(moved.flatten(len(kept)).unbind(-1)))
        array, new = self._declare(len(rows))
        # Written out: sums of a field have few terms, and an array of ids in any order cannot be a loop.
        for place, row in enumerate(rows):
            terms = " + ".join(term.format(self.name(number)) for number in row)
            self.statements.append(f"    {array}[{place}] = {whole.format(terms)};\n")
        result = new[inverse].view(shape)
        if keepdim:
            for d in dims:
                result = result.unsqueeze(d)
        return Numbers(result)

    def product(
        self, left: "Numbers", right: Float[Tensor, "k m"], bias: Float[Tensor, " m"] | None = None
    ) -> "Numbers":
        """Write rows of numbers times a known matrix, four at a time."""
        rows, inverse, _ = _distinct(list(left.ids.unbind(1)))
        inner, outputs = right.shape
        fours = -(-inner // 4)
        # Filled up to fours: a texel holds four weights, and `dot` takes four products in one instruction.
        padded = torch.zeros(outputs, 4 * fours)
        padded[:, :inner] = right.T
        start = self._store(padded.flatten())
        first = "0.0"
        if bias is not None:
            first = f"weight({4 * self._store(bias)} + o)"
        results = []
        for row in rows:
            array, ids = self._declare(outputs)
            # The inputs as vectors once, not for every output.
            packed = f"{array}_in"
            self.statements.append(f"    vec4 {packed}[{fours}];\n")
            names = [self.name(number) for number in row] + ["0.0"] * (4 * fours - inner)
            for four in range(fours):
                self.statements.append(f"    {packed}[{four}] = vec4({', '.join(names[4 * four : 4 * four + 4])});\n")
            dot = f"dot(four_weights({start} + o * {fours} + k), {packed}[k])"
            self.statements.append(
                f"    for (int o = 0; o < {outputs} + zero; o++) {{\n        float sum = {first};\n"
                f"        for (int k = 0; k < {fours} + zero; k++) sum += {dot};\n        {array}[o] = sum;\n    }}\n"
            )
            results.append(ids)
        return Numbers(torch.stack(results)[inverse])

    def grid(self, grid: Float[Tensor, "1 f *nodes"], points: "Numbers", corners: bool) -> "Numbers":
        """Write multilinear values of a known grid (1, features, *nodes) at points (1, *places, axes)."""
        # torch.nn.functional.grid_sample, whose points have the grid's last axis first.
        features, *nodes = grid.shape[1:]
        axes = len(nodes)
        rows, inverse, shape = _distinct(list(points.ids.flip(-1).unbind(-1)))  # now in the order of the grid's axes
        fours = -(-features // 4)
        # A node's features lie side by side: a corner of a cell then takes as few fetches as it can.
        padded = torch.zeros(math.prod(nodes), 4 * fours)
        padded[:, :features] = grid[0].flatten(1).T
        start = self._store(padded.flatten())
        array, ids = self._declare(len(rows) * features)
        for place, row in enumerate(rows):
            mark = f"{array}_{place}"
            lines = [f"float {mark}_f[{axes}];", f"int {mark}_n[{axes}];", f"vec4 {mark}_s[{fours}];"]
            for axis, number in enumerate(row):
                arguments = f"{self.name(number)}, {nodes[axis]}, {str(bool(corners)).lower()}, {mark}_f[{axis}]"
                lines.append(f"{mark}_n[{axis}] = int(node({arguments}));")
            lines.append(f"for (int k = 0; k < {fours} + zero; k++) {mark}_s[k] = vec4(0.0);")
            # All 2^axes corners of the cell, each with the product of its shares along the axes.
            lines.append(f"for (int corner = 0; corner < {2**axes} + zero; corner++) {{ int at = 0; float share = 1.0;")
            for axis in range(axes):
                side = f"(corner >> {axis}) & 1"
                lines.append(
                    f"at = at * {nodes[axis]} + min({mark}_n[{axis}] + ({side}), {nodes[axis] - 1}); "
                    f"share *= ({side}) == 1 ? {mark}_f[{axis}] : 1.0 - {mark}_f[{axis}];"
                )
            fetch = f"four_weights({start} + at * {fours} + k)"
            lines.append(f"for (int k = 0; k < {fours} + zero; k++) {mark}_s[k] += share * {fetch}; }}")
            lines += [f"{array}[{place * features + f}] = {mark}_s[{f // 4}][{f % 4}];" for f in range(features)]
            self.statements += [f"    {line}\n" for line in lines]
        values = ids.view(len(rows), features)[inverse].view(*shape, features)
        return Numbers(values.movedim(-1, 1))

    def _new_ids(self, array: str, numbers: int) -> Int[Tensor, " n"]:
        self._arrays.append((self._ids, array))
        self._ids += numbers
        return torch.arange(self._ids - numbers, self._ids)

    def _declare(self, numbers: int) -> tuple[str, Int[Tensor, " n"]]:
        array = f"v{len(self._arrays)}"
        self.statements.append(f"    float {array}[{numbers}];\n")
        return array, self._new_ids(array, numbers)

    def _store(self, values: Float[Tensor, " n"]) -> int:
        """Put the numbers into the texture and return their first texel."""
        start = self._texels + 1  # texel 0 is there even if no weight is
        packed = np.zeros((-(-len(values) // 4), 4), np.float32)
        packed.reshape(-1)[: len(values)] = values.float().cpu().numpy()
        self._weights.append(packed)
        self._texels += len(packed)
        return start

    def _home(self, number: int) -> str:
        return self.name(number).split("[")[0]

    def _running(self, column: Sequence[int]) -> str:
        """Return the name of the i-th number of a run, or of the one that all are."""
        name = self.name(column[0])
        if column[0] == column[-1]:
            return name
        array, first = name[:-1].split("[")
        return f"{array}[i]" if first == "0" else f"{array}[{first} + i]"


def literal(number: Number) -> str:
    """Return a number as GLSL, in brackets for the sign's sake. ShaderError for infinities and NaN."""
    if not math.isfinite(number):
        raise ShaderError(f"{number} has no shader form.")
    return f"({float(number)!r})"


def _runs(column: Sequence[int]) -> bool:
    """True if ids follow one another or are all the same."""
    steps = {after - before for before, after in pairwise(column)}
    return steps in (set(), {0}, {1})


def _distinct(operands: Sequence[Tensor]) -> tuple[list[list[int]], Tensor, torch.Size]:
    """Return the combinations of ids that occur, in order of appearance, the index of each place's, and the shape."""
    combinations = torch.stack([ids.flatten() for ids in operands], dim=1).numpy()
    rows, first, inverse = np.unique(combinations, axis=0, return_index=True, return_inverse=True)
    # `unique` sorts; in order of appearance, runs of an array stay runs.
    order = np.argsort(first)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return rows[order].tolist(), torch.from_numpy(places[inverse.reshape(-1)]), operands[0].shape
