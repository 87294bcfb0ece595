"""Options from a YAML file: it overrides a command's defaults, and the command line overrides it.

Keys are the names of the options with underscores. Those of neural-canvas's files are understood too.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from easel.console import BadInput, complain, suggestion
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
    """Return the config of the file after `--conf`; None where the command has no such option or it is not given.

    Fields without a default that the file leaves out are `tyro.MISSING`. Raises BadInput with one line.
    """
    path = _conf_path(arguments)
    if path is None or not dataclasses.is_dataclass(kind):
        return None
    names = {entry.name: entry for entry in dataclasses.fields(kind)}
    if "conf" not in names:
        return None
    import tyro

    hints = annotations(kind)
    given = {name: _converted(path, name, value, hints[name]) for name, value in _read(path, names).items()}
    # An option that has to be given may still come from the command line.
    for name, entry in names.items():
        if entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
            given.setdefault(name, tyro.MISSING)
    return kind(**given)


# By hand, before tyro: the file's options are its defaults, and so decide what it still has to ask for.
def _conf_path(arguments: Sequence[str]) -> Path | None:
    for place, argument in enumerate(arguments):
        if argument == "--conf" and place + 1 < len(arguments):
            return Path(arguments[place + 1])
        if argument.startswith("--conf="):
            return Path(argument.removeprefix("--conf="))
    return None


def _read(path: Path, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the file by our names, neural-canvas's keys translated."""
    import yaml

    # safe_load: a YAML file can otherwise name any Python object to make.
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
    # neural-canvas switches frequencies off by a key of its own; without them their number means nothing.
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
            raise BadInput(f"{path}: unknown option {name!r}.{suggestion(name, [*names, *LEGACY])}")
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
    """Return the value as the config has it. BadInput where it cannot be."""
    # Without ranges: the command line may still replace it, and `check_options` looks at what is left.
    try:
        return fit(value, hint, ranges=False)
    except ValueError as error:
        fitting = str(error).replace("'", "")  # YAML writes texts without quotes
        raise BadInput(f"{path}: {name} cannot be {str(value)[:60]!r}; it is {fitting}.") from None
