"""`easel materials shards`: what a network says of its training materials, stored for students to learn from."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from easel.commands.materials.engine import EngineName, engine, kept_note, share_of
from easel.console import BadInput, complain, counted, explained, prepare_folder
from easel.graphics.checked_record import Range
from easel.materials.config import TrainConfig

if TYPE_CHECKING:
    from easel.materials.distillation.write_shards import ShardJob

SHARDS_A_PROCESS = 4
"""For fewer shards another process, with the teacher once more, takes longer to start than it saves."""


@dataclass(frozen=True)
class ShardsConfig:
    """Store what a network says of the materials that it was trained on, and of no others.

    A student is trained on these answers without asking its teacher again. What is there already is kept, so that an
    interrupted run goes on where it ended; processes with different --shard fill one folder together.
    """

    checkpoint: Path | None = None
    """The teacher: a run's folder, a .pth or a .safetensors. Needed."""
    config: str | None = None
    """A preset or file that the teacher must agree with; what counts is the config in the checkpoint."""
    data_root: Path | None = None
    """Folder that has photos and maps, as input and output."""
    input_dir: Path | None = None
    """Folder with the photos; where the teacher learned from, if it is not given."""
    output_dir: Path | None = None
    """Folder with the true maps."""
    metadata_path: Path | None = None
    """render_metadata.json, where it is not in the folder with the photos."""
    use_dirty: bool = False
    """Old spelling of --render-curriculum 2."""
    render_curriculum: Literal[0, 1, 2] | None = None
    """Clean renders (0), what is on disk (1) or dirty renders (2); as the teacher learned if it is not given."""
    out_dir: Path = Path("teacher_shards")
    """Folder for the shards."""
    shards_dir: Path | None = None
    """The same, and wins."""
    shard_size: Annotated[int, Range(1, 4096)] = 8
    """Samples in a file."""
    batch_size: Annotated[int, Range(1, 4096)] = 4
    """Samples that the network is shown at once."""
    shard_output_size: Annotated[int, Range(1, 8192)] | None = None
    """Texels a side of the stored maps: those of the student. As the teacher answers if it is not given."""
    bits: Literal[8, 16] = 16
    """Of every number: half precision, or half of that."""
    shard: str = "0/1"
    """Make a share of the files: 3/8 is the fourth of eight. Shares may run at once, on any machines."""
    device: str = "auto"
    """auto, cuda, cuda:0, mps or cpu."""
    workers: Annotated[int, Range(0, 1024)] = 0
    """Processes, each with the teacher; 0 takes one for each core, or one for a GPU."""
    engine: EngineName = "local"
    """Workers: this machine's processes, or Ray's, of the cluster that RAY_ADDRESS names or of its own."""


def shards(config: ShardsConfig) -> int:
    """Write the shards; returns 0, or 1 when a process was lost."""
    share, shares = _check(config)
    from easel.materials.distillation.write_shards import ShardWriter, maker
    from easel.materials.engines.processes import WorkerError, in_turn
    from easel.materials.training.engine import DeviceError, pick_device

    job = job_of(config)
    prepare_folder(job.folder)
    of_device = partial(explained, "--device: ", errors=DeviceError)
    with of_device(), explained(errors=(ValueError, FileNotFoundError, KeyError)):
        # Under Ray this process gives out work, perhaps on a machine that has no GPU
        device = pick_device(config.device if config.engine == "local" else "cpu")
        teaching = ShardWriter(job, device)
        _agrees(config, teaching.trained.config)
    # Every n-th file, so that shares finish together and none overlaps another.
    numbers = range(share, len(teaching), shares)
    skipped = samples = 0
    # "auto" is for each of Ray's workers to answer.
    wanted = device.type if config.engine == "local" else config.device
    try:
        at_work = engine(
            config.engine, config.workers, len(numbers), "asking the teacher", least=SHARDS_A_PROCESS, device=wanted
        )
        with of_device(), explained(), at_work as (workers, bar):
            opened = (lambda: teaching.make) if workers is in_turn else partial(maker, job, config.device)
            with closing(workers(opened, numbers)) as shards:
                for made in counted(shards, len(numbers), bar, "shard"):
                    skipped += made.skipped
                    samples += made.samples
    except WorkerError as error:
        complain(str(error))
        return 1
    # Every process writes the index: whoever ends last has seen all records.
    index = teaching.finish()
    height, width = teaching.size
    kept = kept_note(skipped, "the files")
    print(f"{samples} samples of {height}x{width} texels in {len(numbers)} files{kept}\nwrote {index}")
    return 0


def job_of(config: ShardsConfig) -> "ShardJob":
    """Return the job that the options describe."""
    from easel.materials.distillation.write_shards import ShardJob

    root = config.data_root
    curriculum = config.render_curriculum
    assert config.checkpoint is not None, "it has been checked"
    return ShardJob(
        config.checkpoint,
        config.shards_dir or config.out_dir,
        config.input_dir or (root and root / "input"),
        config.output_dir or (root and root / "output"),
        config.metadata_path,
        2 if config.use_dirty and curriculum is None else curriculum,
        config.shard_output_size,
        "uint8" if config.bits == 8 else "float16",
        config.shard_size,
        config.batch_size,
    )


def _check(config: ShardsConfig) -> tuple[int, int]:
    """Return the share and the number of shares; BadInput for options that cannot be."""
    if config.checkpoint is None:
        raise BadInput("whose answers? Name the teacher with --checkpoint.")
    return share_of(config.shard)


def _agrees(config: ShardsConfig, trained: TrainConfig) -> None:
    """Raise BadInput where a config was named that the teacher was not trained as."""
    if config.config is None:
        return
    from easel.materials.config_files import open_config
    from easel.materials.models.network_files import differences
    from easel.materials.resolve import checked

    # Settings of training may differ; those that shape the network may not.
    different = differences(checked(open_config(config.config)), trained)
    if different:
        raise BadInput(f"--config {config.config} is not what {config.checkpoint} was trained as: {different}.")
