"""`easel materials distill`: a small network learns from a large one."""

from collections.abc import Sequence

from easel.commands.materials.train import ALIASES, prepared, train
from easel.console import BadInput
from easel.materials.config import TrainConfig

FEATURE_WEIGHT = 0.1
"""Weight of features under --use-feature-distillation, where the config compares none."""
SHORT = ALIASES | {
    "--temperature": "--loss.distill-temperature",
    "--alpha": "--loss.distill-alpha",
    "--shards-dir": "--data.shards-dir",
    "--teacher-checkpoint": "--training.teacher-checkpoint",
    "--no-amp": "--training.no-use-amp",
}
"""Short flags → the settings that they are."""


def distill(config: TrainConfig) -> int:
    """Train a small network to answer as a large one does, and as the true maps are.

    --config NAME|FILE is the student: mobilenetv3_512 if none is named, mobilenetv3_2048, convattn_student, … .
    --shards-dir names the answers of its teacher, from `easel materials shards`; without them --teacher-checkpoint is
    asked at every step. --temperature and --alpha say how soft and how weighty the answers are. With
    --teacher-checkpoint and --use-feature-distillation it also learns what the teacher has in mind between photos and
    maps, as the convattn students do whenever the teacher is named. --no-amp computes in full precision. The student
    is validated on the materials that its teacher was. All flags of `easel materials train` hold here, too.
    """
    if not config.is_student:
        raise BadInput(
            "a student needs its teacher's answers, --shards-dir DIR (from `easel materials shards`), or the teacher "
            "itself, --teacher-checkpoint FILE."
        )
    return train(config)


def prepare_distill(arguments: Sequence[str]) -> tuple[list[str], TrainConfig]:
    """Return (arguments that name settings in full, the config that they change)."""
    # No setting of its own: it stands for a weight, which tyro would want a value for.
    wanted = {"--use-feature-distillation", "--use_feature_distillation"}
    left = [argument for argument in arguments if argument not in wanted]
    written_out, config = prepared(left, SHORT, "mobilenetv3_512")
    if len(left) < len(arguments):
        if not (config.training.teacher_checkpoint or any(map(_names_teacher, written_out))):
            raise BadInput("--use-feature-distillation needs the teacher itself: name it with --teacher-checkpoint.")
        # A weight that the config or the command line names is kept.
        config.loss.lambda_feat = config.loss.lambda_feat or FEATURE_WEIGHT
    return written_out, config


def _names_teacher(argument: str) -> bool:
    return argument.startswith(SHORT["--teacher-checkpoint"])
