"""A field as a shader: the operations of its exported graph, for one point, in GLSL ES 3.00 (what WebGL 2 runs).

A field is pointwise, so its graph is a shader with the batch axis left out. Every number that the graph computes for a
point has an id. A tensor of the graph becomes a tensor of ids of the same shape, on which torch itself performs
whatever only moves numbers about (slices, views, concatenations), and equal combinations of ids share the statement
that computes from them. Weights lie in one texture of four floats a texel.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

POINTS = 2
"""Points in the exported graph; more than one, so that torch keeps the batch axis apart."""

MOVES = frozenset(
    "permute view reshape _unsafe_view slice select unsqueeze squeeze expand cat stack split split_with_sizes unbind "
    "transpose t clone alias detach _to_copy flip repeat index_select contiguous".split()
)
"""Operations that only move numbers about; torch performs them on ids."""

KINDS = ("dtype", "layout", "device", "memory_format", "pin_memory", "non_blocking")
"""Arguments of such operations that mean nothing to ids."""

Number = float | int

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
"""Operation → what it computes from single numbers. Truth is 1.0 and falsehood 0.0."""

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
class Shader:
    """GLSL that computes a field's values at one point."""

    source: str
    """Defines `void field(in float coordinates[D], in float latent[L], out float values[C])` and what it needs, the
    uniform sampler `weights` and a uniform that nobody sets. Without a latent L is 1, and that number is ignored."""
    weights: Float[Tensor, "texels 4"]
    """The numbers of that sampler in reading order, whatever its width."""
    dimensions: int
    latents: int
    channels: int


class ShaderError(ValueError):
    """The field computes something that has no shader form; the message says what."""


def to_shader(field: nn.Module, dimensions: int, latents: int = 0) -> Shader:
    """The shader of a pointwise module that takes (n, dimensions) and, if it has latents, a vector of that many.

    Raises ShaderError for operations outside the table above.
    """
    inputs = (torch.zeros(POINTS, dimensions), *((torch.zeros(latents),) if latents else ()))
    translator = _Translator()
    values = translator.translate(_export(field, inputs))
    if values.ndim != 2 or not torch.equal(values[0], values[-1]):
        raise ShaderError(f"a shader computes one point at a time; this field returns {tuple(values.shape)} for 2.")
    results = "".join(f"    values[{k}] = {translator.name(i)};\n" for k, i in enumerate(values[0].tolist()))
    source = (
        f"{HELPERS}\nvoid field(in float coordinates[{dimensions}], in float latent[{max(latents, 1)}], "
        f"out float values[{values.shape[1]}]) {{\n{''.join(translator.statements)}{results}}}\n"
    )
    return Shader(source, translator.packed_weights(), dimensions, latents, values.shape[1])


def _export(field: nn.Module, inputs: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    training = {module: module.training for module in field.modules()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.export deprecates parts of itself
        try:
            return torch.export.export(field.eval(), inputs).run_decompositions()
        finally:
            for module, mode in training.items():
                module.training = mode


class _Translator:
    """Walks the graph; tensors are ids of numbers, known ones stay tensors."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self._arrays: list[tuple[int, str]] = []  # (first id, GLSL name) of every array, ids ascending
        self._ids = 0
        self._weights: list[np.ndarray] = []
        self._texels = 0

    def translate(self, program: torch.export.ExportedProgram) -> Int[Tensor, "..."]:
        signature = program.graph_signature
        known = {**program.state_dict, **program.constants}
        homes = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        homes.update(signature.inputs_to_lifted_tensor_constants)
        inputs = iter(("coordinates", "latent"))
        values: dict[torch.fx.Node, Any] = {}
        for node in program.graph.nodes:
            if node.op == "placeholder" and node.name in homes:
                values[node] = known[homes[node.name]].detach()
            elif node.op == "placeholder":
                values[node] = self._input(next(inputs), node.meta["val"].shape)
            elif node.op == "output":
                return torch.fx.map_arg(node.args[0], values.__getitem__)[0].ids
            else:
                arguments = torch.fx.map_arg((node.args, node.kwargs), values.__getitem__)
                values[node] = self._operation(node, *arguments)
        raise AssertionError("a graph ends with its output")

    def name(self, number: int) -> str:
        first, array = next(entry for entry in reversed(self._arrays) if entry[0] <= number)
        return f"{array}[{number - first}]"

    def packed_weights(self) -> Float[Tensor, "texels 4"]:
        return torch.from_numpy(np.concatenate([np.zeros((1, 4), np.float32), *self._weights]))

    def _input(self, name: str, shape: Sequence[int]) -> "_Unknown":
        ids = self._new_ids(name, shape[-1])
        return _Unknown(ids.expand(*shape))

    def _new_ids(self, array: str, numbers: int) -> Int[Tensor, " n"]:
        self._arrays.append((self._ids, array))
        self._ids += numbers
        return torch.arange(self._ids - numbers, self._ids)

    def _declare(self, numbers: int) -> tuple[str, Int[Tensor, " n"]]:
        array = f"v{len(self._arrays)}"
        self.statements.append(f"    float {array}[{numbers}];\n")
        return array, self._new_ids(array, numbers)

    def _operation(self, node: torch.fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        target: Any = node.target
        if target.__name__ == "getitem":
            return args[0][args[1]]
        name = target.__name__.split(".")[0]
        unknown = [a for a in tree_leaves((args, kwargs)) if isinstance(a, _Unknown)]
        if not unknown:
            return target(*args, **kwargs)
        if name in MOVES:
            return self._move(target, args, kwargs)
        if name in FORMULAS:
            return self._formula(FORMULAS[name], _scaled(args, kwargs))
        special: Callable[..., Any] | None = getattr(self, "_" + name.lstrip("_"), None)
        if special is None:
            raise ShaderError(f"no shader form for the operation {name!r}; it stands in {node.name}.")
        return special(*args, **kwargs)

    def _move(self, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        kept = {
            key: value for key, value in kwargs.items() if key not in ("dtype", "memory_format", "layout", "device")
        }

        def ids(value: Any) -> Any:
            if isinstance(value, Tensor) and value.is_floating_point():
                return self._constant(value)
            return value.ids if isinstance(value, _Unknown) else value

        moved = target(*tree_map(ids, args), **kept)
        return tree_map(_Unknown, moved)

    def _constant(self, values: Tensor) -> Int[Tensor, "..."]:
        """Ids of known numbers, read from the texture."""
        array, ids = self._declare(values.numel())
        start = 4 * self._store(values.flatten().float())
        count = values.numel()
        self.statements.append(f"    for (int i = 0; i < {count} + zero; i++) {array}[i] = weight({start} + i);\n")
        return ids.view(values.shape)

    def _store(self, values: Float[Tensor, " n"]) -> int:
        """Puts the numbers into the texture; returns the texel where they begin."""
        start = self._texels + 1  # texel 0 is there even if no weight is
        packed = np.zeros((-(-len(values) // 4), 4), np.float32)
        packed.reshape(-1)[: len(values)] = values.float().cpu().numpy()
        self._weights.append(packed)
        self._texels += len(packed)
        return start

    def _formula(self, formula: str, operands: Sequence[Any]) -> "_Unknown":
        """One statement, or one loop, for an elementwise operation on ids, tensors and plain numbers."""
        operands = [o.item() if isinstance(o, Tensor) and o.numel() == 1 else o for o in operands]
        texts = [_literal(o) if _plain(o) else None for o in operands]
        tensors = [o.ids if isinstance(o, _Unknown) else self._constant(o) for o in operands if not _plain(o)]
        rows, inverse, shape = _distinct(torch.broadcast_tensors(*tensors))
        array, ids = self._declare(len(rows))
        columns = list(zip(*rows, strict=True))
        run = all(_runs(column) and self._home(column[0]) == self._home(column[-1]) for column in columns)

        def expression(row: Sequence[str]) -> str:
            names = iter(row)
            return formula.format(*(next(names) if text is None else text for text in texts))

        if run and len(rows) > 2:
            parts = [self._running(column) for column in columns]
            loop = f"for (int i = 0; i < {len(rows)} + zero; i++)"
            self.statements.append(f"    {loop} {array}[i] = {expression(parts)};\n")
        else:
            for place, row in enumerate(rows):
                text = expression([self.name(number) for number in row])
                self.statements.append(f"    {array}[{place}] = {text};\n")
        return _Unknown(ids[inverse].view(shape))

    def _home(self, number: int) -> str:
        return self.name(number).split("[")[0]

    def _running(self, column: Sequence[int]) -> str:
        """The name of the i-th number of a run, or of the one that all are."""
        name = self.name(column[0])
        if column[0] == column[-1]:
            return name
        array, first = name[:-1].split("[")
        return f"{array}[i]" if first == "0" else f"{array}[{first} + i]"

    def _sums(self, values: Any, dims: Sequence[int] | None, keepdim: bool, term: str, whole: str) -> "_Unknown":
        """Sums over axes; `term` is added for every number, `whole` made of the sum."""
        ids = values.ids
        dims = sorted(d % ids.ndim for d in (range(ids.ndim) if not dims else dims))
        kept = [d for d in range(ids.ndim) if d not in dims]
        moved = ids.permute(*kept, *dims)
        rows, inverse, shape = _distinct(list(moved.flatten(len(kept)).unbind(-1)))
        array, new = self._declare(len(rows))
        for place, row in enumerate(rows):
            terms = " + ".join(term.format(self.name(number)) for number in row)
            self.statements.append(f"    {array}[{place}] = {whole.format(terms)};\n")
        result = new[inverse].view(shape)
        if keepdim:
            for d in dims:
                result = result.unsqueeze(d)
        return _Unknown(result)

    def _full_like(self, values: Any, number: Number, **_: Any) -> "_Unknown":
        return _Unknown(self._constant(torch.tensor([float(number)])).expand(values.ids.shape))

    def _sum(self, values: Any, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> "_Unknown":
        return self._sums(values, dims, keepdim, "{0}", "{0}")

    def _mean(self, values: Any, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> "_Unknown":
        count = math.prod(values.ids.shape[d] for d in (dims or range(values.ids.ndim)))
        return self._sums(values, dims, keepdim, "{0}", f"({{0}}) / {count}.0")

    def _linalg_vector_norm(
        self, values: Any, order: Number = 2, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any
    ) -> "_Unknown":
        if order != 2:
            raise ShaderError(f"a norm of order {order} has no shader form; order 2 has.")
        return self._sums(values, dims, keepdim, "{0} * {0}", "sqrt({0})")

    def _mm(self, left: Any, right: Any) -> "_Unknown":
        if isinstance(left, Tensor):
            return _Unknown(self._product(right.ids.T, left.T, None).T)
        if not isinstance(right, Tensor):
            raise ShaderError("a product of two computed matrices has no shader form.")
        return _Unknown(self._product(left.ids, right, None))

    def _addmm(self, bias: Any, left: Any, right: Any) -> "_Unknown":
        if isinstance(bias, Tensor) and bias.ndim == 1 and isinstance(right, Tensor):
            return _Unknown(self._product(left.ids, right, bias))
        return self._formula(FORMULAS["add"], [self._mm(left, right), bias])

    def _product(
        self, left: Int[Tensor, "n k"], right: Float[Tensor, "k m"], bias: Float[Tensor, " m"] | None
    ) -> Int[Tensor, "n m"]:
        """Rows of numbers times a known matrix, four at a time."""
        rows, inverse, _ = _distinct(list(left.unbind(1)))
        inner, outputs = right.shape
        fours = -(-inner // 4)
        padded = torch.zeros(outputs, 4 * fours)
        padded[:, :inner] = right.T
        start = self._store(padded.flatten())
        first = "0.0" if bias is None else f"weight({4 * self._store(bias)} + o)"
        results = []
        for row in rows:
            array, ids = self._declare(outputs)
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
        return torch.stack(results)[inverse]

    def _pow(self, values: Any, exponent: Number) -> "_Unknown":
        if exponent == 0.5:
            return self._formula("sqrt({0})", [values])
        if not float(exponent).is_integer() or not 1 <= exponent <= 4:
            raise ShaderError(f"the power {exponent} has no shader form; 0.5 and 1 to 4 have.")
        return self._formula(" * ".join(["{0}"] * int(exponent)), [values])

    def _clamp(self, values: Any, low: Number | None = None, high: Number | None = None) -> "_Unknown":
        formula = "{0}" if low is None else f"max({{0}}, {_literal(low)})"
        return self._formula(formula if high is None else f"min({formula}, {_literal(high)})", [values])

    def _hardtanh(self, values: Any, low: Number = -1.0, high: Number = 1.0) -> "_Unknown":
        return self._clamp(values, low, high)

    def _gelu(self, values: Any, approximate: str = "none") -> "_Unknown":
        if approximate == "tanh":
            inner = "0.7978845608 * ({0} + 0.044715 * {0} * {0} * {0})"
            return self._formula(f"0.5 * {{0}} * (1.0 + bounded_tanh({inner}))", [values])
        return self._formula("0.5 * {0} * (1.0 + error_function({0} * 0.7071067812))", [values])

    def _elu(self, values: Any, alpha: Number = 1.0, scale: Number = 1.0, inner: Number = 1.0) -> "_Unknown":
        below = f"{_literal(alpha)} * (exp({{0}} * {_literal(inner)}) - 1.0)"
        return self._formula(f"{_literal(scale)} * ({{0}} > 0.0 ? {{0}} : {below})", [values])

    def _leaky_relu(self, values: Any, slope: Number = 0.01) -> "_Unknown":
        return self._formula(f"({{0}} > 0.0 ? {{0}} : {_literal(slope)} * {{0}})", [values])

    def _rrelu_with_noise_functional(
        self,
        values: Any,
        noise: Any,
        low: Number = 0.125,
        high: Number = 1 / 3,
        training: bool = False,
        *_: Any,
    ) -> "tuple[_Unknown]":
        if training:
            raise ShaderError("RReLU in training mode is random; a shader is not.")
        return (self._leaky_relu(values, (low + high) / 2),)

    def _native_layer_norm(
        self, values: Any, shape: Sequence[int], weight: Any, bias: Any, eps: Number
    ) -> "tuple[_Unknown]":
        dims = list(range(-len(shape), 0))
        apart = self._formula("{0} - {1}", [values, self._mean(values, dims, True)])
        square = self._mean(self._formula("{0} * {0}", [apart]), dims, True)
        normal = self._formula(f"{{0}} * inversesqrt({{1}} + {_literal(eps)})", [apart, square])
        normal = normal if weight is None else self._formula("{0} * {1}", [normal, weight])
        return (normal if bias is None else self._formula("{0} + {1}", [normal, bias]),)

    def _native_batch_norm_legit_no_training(
        self,
        values: Any,
        weight: Any,
        bias: Any,
        mean: Tensor,
        variance: Tensor,
        momentum: Number,
        eps: Number,
    ) -> "tuple[_Unknown]":
        if values.ids.ndim != 2:
            raise ShaderError("batch norm of feature maps has no shader form; of (points, features) it has.")
        scale = torch.rsqrt(variance + eps) * (1.0 if weight is None else weight)
        return (self._formula("{0} * {1} + {2}", [values, scale, (0.0 if bias is None else bias) - mean * scale]),)

    def _grid_sampler_2d(self, grid: Tensor, points: Any, mode: int, padding: int, corners: bool) -> "_Unknown":
        return self._grid(grid, points, mode, padding, corners)

    def _grid_sampler_3d(self, grid: Tensor, points: Any, mode: int, padding: int, corners: bool) -> "_Unknown":
        return self._grid(grid, points, mode, padding, corners)

    def _grid(self, grid: Tensor, points: Any, mode: int, padding: int, corners: bool) -> "_Unknown":
        """Multilinear values of a known grid (1, features, *nodes) at points (1, *places, axes), last axis first."""
        if (mode, padding, len(grid)) != (0, 1, 1):
            raise ShaderError("a grid is sampled linearly with its border going on; other ways have no shader form.")
        nodes, features = grid.shape[2:], grid.shape[1]
        axes = len(nodes)
        rows, inverse, shape = _distinct(list(points.ids.flip(-1).unbind(-1)))  # now in the order of the grid's axes
        fours = -(-features // 4)
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
        return _Unknown(values.movedim(-1, 1))


@dataclass(frozen=True)
class _Unknown:
    """A tensor of the graph whose numbers the shader computes."""

    ids: Int[Tensor, "..."]


def _scaled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    if kwargs.get("alpha", 1) != 1:
        raise ShaderError("add and sub with a factor have no shader form.")
    return args


def _plain(operand: Any) -> bool:
    return not isinstance(operand, _Unknown | Tensor)


def _literal(number: Number) -> str:
    if not math.isfinite(number):
        raise ShaderError(f"{number} has no shader form.")
    return f"({float(number)!r})"


def _runs(column: Sequence[int]) -> bool:
    """Whether ids follow one another or are all the same."""
    steps = {after - before for before, after in pairwise(column)}
    return steps in (set(), {0}, {1})


def _distinct(operands: Sequence[Tensor]) -> tuple[list[list[int]], Tensor, torch.Size]:
    """Every combination of ids that occurs, in order of appearance; which one stands where; the shape."""
    combinations = torch.stack([ids.flatten() for ids in operands], dim=1).numpy()
    rows, first, inverse = np.unique(combinations, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return rows[order].tolist(), torch.from_numpy(places[inverse.reshape(-1)]), operands[0].shape
