"""Options from a YAML file: it overrides a command's defaults, and the command line overrides it.

Keys are the names of the options with underscores. Those of neural-canvas's files are understood too.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from easel.console import BadInput, complain
from easel.graphics.checked_record import annotations, fit, has_range, misfits

Config = TypeVar("Config")
MOST_BYTES = 1 << 20

LEGACY = {
    "noise_dim": "latent_dim",
    "noise_scale": "latent_scale",
    "activation_set": "activations",
    "graph_topology": "topology",
    "mlp_layer_width": "width",
    "conv_feature_map_size": "width",
    "ws_graph_nodes": "num_graph_nodes",
    "num_fourier_freqs": "fourier_freqs",
    "num_freqs_encoding": "fourier_freqs",
    "num_siren_layers": "siren_layers",
    "output_dir": "out",
    "regen_image_path": "file",
    "target_img_path": "file",
    "zoom_schedule_r": "zoom_schedule",
    "pan_schedule_r": "pan_schedule",
    "l1_loss_weight": "l1",
    "l2_loss_weight": "l2",
    "ssim_loss_weight": "ssim",
}
"""Keys of neural-canvas → ours."""
IGNORED = {"use_gpu", "ignore_seed", "device", "tmp_dir", "input_encoding_dim", "save_video_from_frames"}
"""Keys of neural-canvas that have nothing to say here."""
VALUES = {"activations": {"basic": "fixed"}, "topology": {"mlp_fixed": "mlp", "conv_fixed": "conv", "ws": "WS"}}


def defaults(kind: type[Config], arguments: Sequence[str]) -> Config | None:
    """The config that the file after `--conf` describes; None where the command has no such option or it is not given.

    What a config must be told is `tyro.MISSING` where the file does not tell. Raises BadInput with one line.
    """
    path = _asked(arguments)
    names = {entry.name: entry for entry in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    if path is None or "conf" not in names:
        return None
    import tyro

    hints = annotations(kind)
    given = {name: _converted(path, name, value, hints[name]) for name, value in _read(path, names).items()}
    for name, entry in names.items():
        if entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
            given.setdefault(name, tyro.MISSING)
    return kind(**given)


def _asked(arguments: Sequence[str]) -> Path | None:
    for place, argument in enumerate(arguments):
        if argument == "--conf" and place + 1 < len(arguments):
            return Path(arguments[place + 1])
        if argument.startswith("--conf="):
            return Path(argument.removeprefix("--conf="))
    return None


def _read(path: Path, names: Mapping[str, Any]) -> dict[str, Any]:
    """Our names and what the file says of them."""
    import yaml

    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than a file of options can be (1 MiB).")
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is no text'}.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise BadInput(f"{path} is no YAML: {str(error)[:200]}") from None
    if not isinstance(read, dict):
        raise BadInput(f"{path} must hold `option: value` lines.")
    found, old = {}, []
    fourier = read.pop("fourier_encoding", True)
    for key, value in read.items():
        name = str(key).replace("-", "_")
        if name in IGNORED and name not in names:
            old.append(name)
            continue
        if name not in names and LEGACY.get(name) in names:
            old.append(name)
            name = LEGACY[name]
        if name not in names:
            near = get_close_matches(name, [*names, *LEGACY], n=1)
            raise BadInput(f"{path}: unknown option {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        if value is None or (name == "fourier_freqs" and not fourier):
            continue
        if isinstance(value, str):
            value = VALUES.get(name, {}).get(value.lower(), value.removeprefix("nn."))
        found[name] = value
    if old:
        complain(f"{path}: read {', '.join(old)} as neural-canvas means it; its pictures were others.")
    return found


def check_options(config: object) -> None:
    """Raise BadInput, "--size is 8 to 8192; got 4.", for the first option outside the Range of its annotation."""
    hints = annotations(type(config))
    for name, value, fitting in misfits(config):
        if has_range(hints[name]):
            given = " ".join(map(str, value)) if isinstance(value, tuple) else value
            raise BadInput(f"--{name.replace('_', '-')} is {fitting}; got {given}.")


def _converted(path: Path, name: str, value: Any, hint: Any) -> Any:
    """The value as the config has it; BadInput where it cannot be."""
    try:
        return fit(value, hint, ranges=False)
    except ValueError as error:
        fitting = str(error).replace("'", "")  # YAML writes texts without quotes
        raise BadInput(f"{path}: {name} cannot be {str(value)[:60]!r}; it is {fitting}.") from None
