"""Names of texture files, read for the map that each holds, and how.

Names differ by site: `Bricks001_1K-PNG_NormalGL.png` (ambientCG), `brick_wall_02_nor_gl_1k.exr` and `…_arm_1k.png`
(Poly Haven), `basecolor.png` (MatSynth), `T_Rock_ORM.tga`. A name is cut into words; the words that say the map come
last, after the material's own, which may be "rough wood" or "rusty metal".
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Use of a texture file: the maps in it, and their form."""

    channels: Mapping[str, int | None]
    """Map → the channel it is in; None for all of the file."""
    inverted: bool = False
    """Glossiness: one minus roughness."""
    directx: bool = False
    """A normal map whose green points down."""
    rank: int = 0
    """Among several files for one map the lowest is taken."""


OTHER = Usage({})
"""A map that materials here do not have: height, ambient occlusion, opacity."""

_WORDS = {
    word: usage
    for words, usage in (
        ("albedo basecolor basecolour bc", Usage({"albedo": None})),
        ("diffuse diff color colour col dif", Usage({"albedo": None}, rank=1)),
        ("metallic metalness metalic metal met mtl metallness", Usage({"metallic": None})),
        ("roughness rough rgh", Usage({"roughness": None})),
        ("gloss glossiness", Usage({"roughness": None}, inverted=True, rank=1)),
        ("normal normals nrm nor norm n nmap normalmap", Usage({"normal": None}, rank=1)),
        ("normalgl norgl normgl nrmgl normalogl normalopengl noropengl", Usage({"normal": None})),
        ("normaldx nordx normdx nrmdx normaldirectx nordirectx", Usage({"normal": None}, directx=True, rank=2)),
        ("arm orm occlusionroughnessmetallic", Usage({"roughness": 1, "metallic": 2}, rank=2)),
        ("metallicroughness metalrough metallicrough", Usage({"roughness": 1, "metallic": 2}, rank=3)),
        ("rma roughnessmetallicocclusion", Usage({"roughness": 0, "metallic": 1}, rank=2)),
        ("mra mrao", Usage({"roughness": 1, "metallic": 0}, rank=2)),
        (
            "ao ambientocclusion occlusion height displacement disp bump depth opacity alpha mask emissive "
            "emission specular spec specularity reflection translucency scattering anisotropy sheen "
            "clearcoat preview thumbnail thumb render sphere",
            OTHER,
        ),
    )
    for word in words.split()
}
"""Words written together and in small letters → usage."""

_CUT = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UDIM = re.compile(r"[._-](1[0-9]{3})$")
_RESOLUTION = re.compile(r"([0-9]{1,2})k", re.IGNORECASE)
_LONGEST = 3
"""The most words that say one map."""


@dataclass(frozen=True)
class Named:
    """A file whose name says a map."""

    path: Path
    usage: Usage
    material: str
    """The words before the map's: files of one material share them."""
    udim: int | None
    """The number of a UDIM tile."""

    def preference(self) -> tuple[int, int, int, str]:
        """Return a key, the smaller, the better: by usage, by resolution, by length of the name."""
        finest = max(map(int, _RESOLUTION.findall(self.path.stem)), default=0)
        return self.usage.rank, -finest, len(self.path.stem), self.path.name


def classify(paths: Sequence[Path]) -> list[Named]:
    """Return those files of one folder whose names say a map of a material, in the order given.

    A word that all the names share belongs to the material: albedo_metal.png and rough_metal.png are no metal maps.
    """
    cut = [_words(path.stem) for path in paths]
    shared = set.intersection(*(set(words) for words, _ in cut)) if len(cut) > 1 else set()
    finds = [_find(words, shared) for words, _ in cut]
    if not any(finds):
        finds = [_find(words, set()) for words, _ in cut]
    return [
        Named(path, found[0], " ".join(words[: found[1]]), udim)
        for path, (words, udim), found in zip(paths, cut, finds, strict=True)
        # Maps that no material here has are known too, so that they are not taken for others.
        if found is not None and found[0].channels
    ]


def _words(stem: str) -> tuple[list[str], int | None]:
    """Return the words of a name, in small letters, and the number of a UDIM tile at its end."""
    name, *tail = _UDIM.split(stem)
    return [word.lower() for word in _CUT.split(name) if word], int(tail[0]) if tail else None


def _find(words: list[str], shared: set[str]) -> tuple[Usage, int] | None:
    """Return the usage that the last words name, the longest phrase first, and the start of that phrase."""
    for end in range(len(words), 0, -1):
        for start in range(max(0, end - _LONGEST), end):
            usage = _WORDS.get("".join(words[start:end]))
            if usage is not None and not shared.issuperset(words[start:end]):
                return usage, start
    return None


def slug(name: str) -> str:
    """Return a folder's name that every system takes: small letters, digits and underscores; never empty."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^0-9a-z]+", "_", letters).strip("_")[:80].strip("_")
    # Names that Windows keeps for devices
    reserved = re.fullmatch(r"con|prn|aux|nul|(com|lpt)[0-9]", plain)
    return f"{plain}_" if reserved else plain or "material"
