"""Shaders of fields: the operations of an exported graph, for one point, in GLSL ES 3.00, the language of WebGL 2.

A field is pointwise, so its graph is a shader with the batch axis left out. Every number that the graph computes for a
point has an id. A tensor of the graph becomes a tensor of ids of the same shape, on which torch itself performs all
operations that only move numbers about (slices, views, concatenations), and equal combinations of ids share the
statement that computes from them. Weights lie in one texture of four floats a texel.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from easel.fields.export.glsl import FORMULAS, HELPERS, Number, Numbers, ShaderError, Writer, literal

POINTS = 2
"""Points in the exported graph; more than one, so that torch keeps the batch axis apart."""

MOVES = frozenset(
    "permute view reshape _unsafe_view slice select unsqueeze squeeze expand cat stack split split_with_sizes unbind "
    "transpose t clone alias detach _to_copy flip repeat index_select contiguous".split()
)
"""Operations that only move numbers about; torch performs them on ids."""

STORAGE_OPTIONS = ("dtype", "layout", "device", "memory_format", "pin_memory", "non_blocking")
"""Arguments of such operations about storage, which mean nothing to ids."""


@dataclass(frozen=True)
class FieldShader:
    """GLSL that computes a field's values at one point."""

    source: str
    """Definition of `void field(in float coordinates[D], in float latent[L], out float values[C])` and its helpers, the
    uniform sampler `weights` and a uniform that nobody sets. Without a latent L is 1, and that number is ignored."""
    weights: Float[Tensor, "texels 4"]
    """Numbers of that sampler in reading order, whatever its width."""
    dimensions: int
    latents: int
    channels: int


def to_shader(field: nn.Module, dimensions: int, latents: int = 0) -> FieldShader:
    """Return the shader of a pointwise module that takes (n, dimensions) and, if it has latents, a vector of that many.

    Raises ShaderError for operations outside the table above.
    """
    inputs: tuple[Tensor, ...] = (torch.zeros(POINTS, dimensions),)
    if latents:
        inputs += (torch.zeros(latents),)
    translator = _Translator()
    values = translator.translate(_export(field, inputs))
    # Equal ids in both rows: nothing depends on a point's place in the batch.
    if values.ndim != 2 or not torch.equal(values[0], values[-1]):
        raise ShaderError(f"a shader computes one point at a time; this field returns {tuple(values.shape)} for 2.")
    results = "".join(f"    values[{k}] = {translator.writer.name(i)};\n" for k, i in enumerate(values[0].tolist()))
    source = (
        f"{HELPERS}\nvoid field(in float coordinates[{dimensions}], in float latent[{max(latents, 1)}], "
        f"out float values[{values.shape[1]}]) {{\n{''.join(translator.writer.statements)}{results}}}\n"
    )
    return FieldShader(source, translator.writer.packed_weights(), dimensions, latents, values.shape[1])


def _export(field: nn.Module, inputs: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    # Each module's own mode: `field.train()` afterwards would wake parts that were switched off.
    training = {module: module.training for module in field.modules()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.export deprecates parts of itself
        try:
            return torch.export.export(field.eval(), inputs).run_decompositions()
        finally:
            for module, mode in training.items():
                module.training = mode


class _Translator:
    """Translator of a graph; computed tensors are ids of numbers, known ones stay tensors."""

    def __init__(self) -> None:
        self.writer = Writer()

    def translate(self, program: torch.export.ExportedProgram) -> Int[Tensor, "..."]:
        signature = program.graph_signature
        known = {**program.state_dict, **program.constants}
        # Placeholders of the graph are inputs, or stand for a tensor that `known` holds under another name.
        homes = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        homes.update(signature.inputs_to_lifted_tensor_constants)
        inputs = iter(("coordinates", "latent"))
        values: dict[torch.fx.Node, Any] = {}
        for node in program.graph.nodes:
            if node.op == "placeholder" and node.name in homes:
                values[node] = known[homes[node.name]].detach()
            elif node.op == "placeholder":
                values[node] = self.writer.input(next(inputs), node.meta["val"].shape)
            elif node.op == "output":
                return torch.fx.map_arg(node.args[0], values.__getitem__)[0].ids
            else:
                arguments = torch.fx.map_arg((node.args, node.kwargs), values.__getitem__)
                values[node] = self._operation(node, *arguments)
        raise AssertionError("a graph ends with its output")

    def _operation(self, node: torch.fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        target: Any = node.target
        if target.__name__ == "getitem":
            return args[0][args[1]]
        name = target.__name__.split(".")[0]
        # What depends on weights alone is computed here, once, and not in the shader for every pixel.
        unknown = [a for a in tree_leaves((args, kwargs)) if isinstance(a, Numbers)]
        if not unknown:
            return target(*args, **kwargs)
        if name in MOVES:
            return self._move(target, args, kwargs)
        if name in FORMULAS:
            return self.writer.formula(FORMULAS[name], _scaled(args, kwargs))
        # Operations with arguments of their own have a method of their name below.
        special: Callable[..., Any] | None = getattr(self, "_" + name.lstrip("_"), None)
        if special is None:
            raise ShaderError(f"no shader form for the operation {name!r}; it stands in {node.name}.")
        return special(*args, **kwargs)

    def _move(self, target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        kept = {key: value for key, value in kwargs.items() if key not in STORAGE_OPTIONS}

        def ids(value: Any) -> Any:
            if isinstance(value, Tensor) and value.is_floating_point():
                return self.writer.constant(value).ids
            return value.ids if isinstance(value, Numbers) else value

        moved = target(*tree_map(ids, args), **kept)
        return tree_map(Numbers, moved)

    def _full_like(self, values: Any, number: Number, **_: Any) -> Numbers:
        return Numbers(self.writer.constant(torch.tensor([float(number)])).ids.expand(values.ids.shape))

    def _sum(self, values: Any, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Numbers:
        return self.writer.sums(values, dims, keepdim, "{0}", "{0}")

    def _mean(self, values: Any, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Numbers:
        count = math.prod(values.ids.shape[d] for d in (dims or range(values.ids.ndim)))
        return self.writer.sums(values, dims, keepdim, "{0}", f"({{0}}) / {count}.0")

    def _linalg_vector_norm(
        self, values: Any, order: Number = 2, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any
    ) -> Numbers:
        if order != 2:
            raise ShaderError(f"a norm of order {order} has no shader form; order 2 has.")
        return self.writer.sums(values, dims, keepdim, "{0} * {0}", "sqrt({0})")

    def _mm(self, left: Any, right: Any) -> Numbers:
        # A known matrix from the left is one from the right of the transposed rows.
        if isinstance(left, Tensor):
            return Numbers(self.writer.product(Numbers(right.ids.T), left.T).ids.T)
        if not isinstance(right, Tensor):
            raise ShaderError("a product of two computed matrices has no shader form.")
        return self.writer.product(left, right)

    def _addmm(self, bias: Any, left: Any, right: Any) -> Numbers:
        if isinstance(bias, Tensor) and bias.ndim == 1 and isinstance(right, Tensor):
            return self.writer.product(left, right, bias)
        return self.writer.formula(FORMULAS["add"], [self._mm(left, right), bias])

    def _pow(self, values: Any, exponent: Number) -> Numbers:
        # As products: GLSL's pow is undefined for bases below 0.
        if exponent == 0.5:
            return self.writer.formula("sqrt({0})", [values])
        if not float(exponent).is_integer() or not 1 <= exponent <= 4:
            raise ShaderError(f"the power {exponent} has no shader form; 0.5 and 1 to 4 have.")
        return self.writer.formula(" * ".join(["{0}"] * int(exponent)), [values])

    def _clamp(self, values: Any, low: Number | None = None, high: Number | None = None) -> Numbers:
        formula = "{0}"
        if low is not None:
            formula = f"max({formula}, {literal(low)})"
        if high is not None:
            formula = f"min({formula}, {literal(high)})"
        return self.writer.formula(formula, [values])

    def _hardtanh(self, values: Any, low: Number = -1.0, high: Number = 1.0) -> Numbers:
        return self._clamp(values, low, high)

    def _gelu(self, values: Any, approximate: str = "none") -> Numbers:
        # torch has two forms, and a shader keeps the one that the network was trained with.
        if approximate == "tanh":
            inner = "0.7978845608 * ({0} + 0.044715 * {0} * {0} * {0})"
            return self.writer.formula(f"0.5 * {{0}} * (1.0 + bounded_tanh({inner}))", [values])
        return self.writer.formula("0.5 * {0} * (1.0 + error_function({0} * 0.7071067812))", [values])

    def _elu(self, values: Any, alpha: Number = 1.0, scale: Number = 1.0, inner: Number = 1.0) -> Numbers:
        below = f"{literal(alpha)} * (exp({{0}} * {literal(inner)}) - 1.0)"
        return self.writer.formula(f"{literal(scale)} * ({{0}} > 0.0 ? {{0}} : {below})", [values])

    def _leaky_relu(self, values: Any, slope: Number = 0.01) -> Numbers:
        return self.writer.formula(f"({{0}} > 0.0 ? {{0}} : {literal(slope)} * {{0}})", [values])

    def _rrelu_with_noise_functional(
        self,
        values: Any,
        noise: Any,
        low: Number = 0.125,
        high: Number = 1 / 3,
        training: bool = False,
        *_: Any,
    ) -> tuple[Numbers]:
        # Outside of training torch takes the middle slope.
        if training:
            raise ShaderError("RReLU in training mode is random; a shader is not.")
        return (self._leaky_relu(values, (low + high) / 2),)

    def _native_layer_norm(
        self, values: Any, shape: Sequence[int], weight: Any, bias: Any, eps: Number
    ) -> tuple[Numbers]:
        dims = list(range(-len(shape), 0))
        # The variance of differences, not E[x²] - E[x]²: a GPU's float32 would lose it.
        apart = self.writer.formula("{0} - {1}", [values, self._mean(values, dims, True)])
        square = self._mean(self.writer.formula("{0} * {0}", [apart]), dims, True)
        normal = self.writer.formula(f"{{0}} * inversesqrt({{1}} + {literal(eps)})", [apart, square])
        if weight is not None:
            normal = self.writer.formula("{0} * {1}", [normal, weight])
        if bias is not None:
            normal = self.writer.formula("{0} + {1}", [normal, bias])
        return (normal,)

    def _native_batch_norm_legit_no_training(
        self,
        values: Any,
        weight: Any,
        bias: Any,
        mean: Tensor,
        variance: Tensor,
        momentum: Number,
        eps: Number,
    ) -> tuple[Numbers]:
        if values.ids.ndim != 2:
            raise ShaderError("batch norm of feature maps has no shader form; of (points, features) it has.")
        # Its statistics are known: what is left is one scale and one shift for each feature.
        scale = torch.rsqrt(variance + eps)
        if weight is not None:
            scale = scale * weight
        shift = -mean * scale
        if bias is not None:
            shift = shift + bias
        return (self.writer.formula("{0} * {1} + {2}", [values, scale, shift]),)

    def _grid_sampler_2d(self, grid: Tensor, points: Numbers, mode: int, padding: int, corners: bool) -> Numbers:
        if (mode, padding, len(grid)) != (0, 1, 1):
            raise ShaderError("a grid is sampled linearly with its border going on; other ways have no shader form.")
        return self.writer.grid(grid, points, corners)

    _grid_sampler_3d = _grid_sampler_2d


def _scaled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    if kwargs.get("alpha", 1) != 1:
        raise ShaderError("add and sub with a factor have no shader form.")
    return args
