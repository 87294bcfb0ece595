"""RecoveryPanel: photos that become maps: the request, the maps in canvases, and the material under a lamp."""

from collections.abc import Callable
from pathlib import Path

from easel.graphics.files import FileError
from easel.materials.maps import MAP_NAMES
from easel.materials.models.network_files import SHIPPED
from easel.materials.recovery.photos import MOST_PHOTOS, SUFFIXES, photo_paths
from easel.materials.synthesis.photo_setups import PhotoSetups
from easel.materials.synthesis.render_dataset import DatasetPlan, Procedural, make_sample
from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.panels.pages import Page
from easel.viewer.panels.panel import Panel
from easel.workstation.background import Background
from easel.workstation.materials.live_recovery import LiveRecovery, Options, RecoveredMaterial, Request
from easel.workstation.materials.live_run import saved_at
from easel.workstation.materials.material_export import FORMATS, export
from easel.workstation.materials.material_view import MaterialView, Stage
from easel.workstation.materials.relighting import Relighting

PHOTOS = [("Photos", " ".join(f"*{suffix}" for suffix in SUFFIXES))]
NETWORKS = [("Networks", "*.safetensors *.pth"), ("All files", "*.*")]
EXAMPLE_SEED, EXAMPLE_PIXELS = 23, 192
MOST_NAMES = 5
"""Photos that are listed by name."""
WHAT_TO_DO = (
    "Drop one or more photos of one flat material here, or a folder of them.\n\n"
    "Photos from several sides tell more than one: how highlights move says how rough it is."
)
NO_NETWORK = (
    "This installation has no network of its own. Open one that was trained (a .safetensors or .pth file), or train "
    "one: the Training tab does, from a folder that `easel materials render` writes."
)


class RecoveryPanel:
    """Joins a `LiveRecovery` to the widgets of a panel and to the canvases that show what it found."""

    def __init__(self, page: Page, out: Path) -> None:
        self.out = out
        self.live = LiveRecovery()
        self.photos: tuple[Path, ...] = ()
        self.network: Path | None = SHIPPED if SHIPPED.exists() else None
        self.options = Options()
        self.stage = Stage()
        self.relighting: Relighting | None = None
        self.notice = ""
        self.failed = False
        # In a browser the person's disk is another one than the program's.
        self._hand_out = page.hand_out
        self._writer = Background[list[Path]]("material-files")
        self._written: Callable[[list[Path]], object] = self._report_exported
        """Takes the files of the writer."""
        self._lit = page.panel("Relit", side="right", width=0.34)
        self._shown = (
            page.panel("Metallic, normal", side="right", width=0.41),
            page.panel("Albedo, roughness", side="right", width=0.69),
        )

    @property
    def found(self) -> RecoveredMaterial | None:
        return self.live.found

    @property
    def settled(self) -> bool:
        """True once all is made and drawn in full, and no file is being written."""
        drawn = self.relighting is None or self.relighting.settled
        return drawn and not self.live.working and not self._writer.busy

    @property
    def told(self) -> str:
        """Names of the photos, or the next thing to do so that there are some."""
        if not self.photos:
            return WHAT_TO_DO
        if self.network is None:
            return NO_NETWORK
        if self.found is None:
            return self.live.problem or "Looking at the photos ..."
        return ", ".join(self.found.names)

    # Photos and network

    def take(self, path: Path) -> bool:
        """Take in a photo, a folder of photos or a network; False for what is none of them."""
        # A folder replaces the photos, a file is added to them.
        if path.is_dir():
            try:
                self.photos = tuple(photo_paths(path))
            except FileError as error:
                self._say(str(error), failed=True)
            return True
        if path.suffix.lower() in SUFFIXES:
            self.add_photo(path)
            return True
        if path.suffix.lower() in (".safetensors", ".pth"):
            self.network = path
            return True
        return False

    def add_photo(self, path: Path) -> None:
        """Add one more photo, up to the most that maps are made from."""
        if len(self.photos) >= MOST_PHOTOS:
            self._say(f"{path.name} is left out: maps are made from up to {MOST_PHOTOS} photos.", failed=True)
        elif path not in self.photos:
            self.photos = (*self.photos, path)

    def clear(self) -> None:
        """Remove all photos and maps."""
        self.photos = ()
        self.live.forget()
        self._say("")

    def make_example(self) -> None:
        """Photograph a made-up material in the background, and take in its photos."""
        self._write(lambda: _example(self.out / "example"), self._take_example)

    def export(self, format: str = "PNG, 8 bit") -> None:
        """Write the maps as one of `FORMATS` into a new folder, in the background."""
        found = self.found
        if found is not None:
            self._write(lambda: export(found.maps, format, self.out), self._report_exported)

    # Frames

    def advance(self) -> None:
        """Request the maps that the widgets describe, and show those that were made."""
        if self.photos and self.network is not None:
            self.live.ask(Request(self.photos, self.network, self.options, saved_at(self.network)))
        else:
            self.live.ask(None)
        # Canvases are bound only when there are new maps: binding in every frame would convert them in every frame.
        if self.live.poll() and self.found is not None:
            self._show(self.found)
        if self._writer.done:
            try:
                self._written(self._writer.result())
            except (FileError, OSError, ValueError, ImportError) as error:
                self._say(str(error), failed=True)

    def show(self, shown: bool) -> None:
        """Open the panels of the maps, if there are any, or close them."""
        for panel in (self._lit, *self._shown):
            panel.open = shown and self.found is not None

    def _show(self, found: RecoveredMaterial) -> None:
        first, *others = [
            # In the order of the names, two to a panel.
            self._shown[number < 2].canvas(name).bind(found.maps.picture(name), live=False)
            for number, name in enumerate(MAP_NAMES)
        ]
        # All maps zoom together.
        first.link(*others)
        material = MaterialView(found.maps)
        if self.relighting is None:
            ball, plane = self._lit.canvas("ball"), self._lit.canvas("plane")
            self.relighting = Relighting(ball, plane, material, self.stage, self.out)
        self.relighting.material = material

    # Widgets

    def draw(self, controls: Panel) -> None:
        """Draw the widgets into a panel."""
        self._draw_photos(controls)
        self._draw_network(controls)
        if not self.photos:
            self._draw_notices(controls)
            return
        controls.section("Maps")
        self.options = controls.edit(self.options, name="maps")
        if self.live.working:
            # Reading and registering photos has no measure of its own.
            controls.progress(self.live.progress, overlay="looking at the photos" * (self.live.progress == 0))
        self._draw_notices(controls)
        found = self.found
        if found is None:
            return
        names = list(FORMATS)
        chosen = names[controls.combo("Format", names, help="What the maps are written as.")]
        with controls.enabled(not self._writer.busy):
            if controls.button("Export", help="Into a new folder."):
                self.export(chosen)
        if self.relighting is not None:
            controls.section("Light")
            self.relighting.draw(controls)
            self.stage = self.relighting.stage

    def _draw_photos(self, controls: Panel) -> None:
        controls.section("Photos")
        if self.photos:
            names = ", ".join(path.name for path in self.photos[:MOST_NAMES])
            if len(self.photos) > MOST_NAMES:
                names += f" and {len(self.photos) - MOST_NAMES} more"
            controls.text_wrapped(names)
        with controls.row():
            photo = controls.file_dialog("Open photo...", title="Open a photo", filters=PHOTOS, help="One more photo.")
            beside = controls.file_dialog(
                "Open folder...", title="Open any photo of a folder", filters=PHOTOS, help="All photos of one folder."
            )
        if photo:
            self.add_photo(Path(photo))
        if beside:
            self.take(Path(beside).parent)
        with controls.row():
            with controls.enabled(not self._writer.busy):
                if controls.button("Try an example", help="Photographs of a material that was made up."):
                    self.make_example()
            with controls.enabled(bool(self.photos)):
                if controls.button("Clear"):
                    self.clear()

    def _draw_network(self, controls: Panel) -> None:
        controls.section("Network")
        if self.network is None:
            controls.text_wrapped(NO_NETWORK)
        else:
            name = "Easel's own" if self.network == SHIPPED else self.network.name
            if self.found is not None:
                name += f", {self.found.step:,} steps"
            controls.text(name)
        with controls.row():
            path = controls.file_dialog("Open network...", title="Open a network", filters=NETWORKS)
            if self.network != SHIPPED and SHIPPED.exists() and controls.button("Easel's own"):
                self.network = SHIPPED
        if path:
            self.network = Path(path)

    def _draw_notices(self, controls: Panel) -> None:
        found = self.found
        if self.live.problem:
            controls.text_wrapped(self.live.problem, color=ALARM)
        elif found is not None and self.photos:
            height, width = found.maps.size
            count = len(found.names)
            told = f"{width} x {height} texels of {count} photo{'s' * (count > 1)}, registered by {found.how}"
            controls.text_wrapped(told, color=QUIET)
            for note in found.notes:
                controls.text_wrapped(note, color=ALARM)
        if self.notice:
            controls.text_wrapped(self.notice, color=ALARM if self.failed else None)

    # Files

    def close(self) -> None:
        self.live.close()
        if self.relighting is not None:
            self.relighting.close()
        self._writer.close()

    def _write(self, write: Callable[[], list[Path]], written: Callable[[list[Path]], object]) -> None:
        """Write files in the background, unless others are being written; `written` takes them when they are there."""
        if not self._writer.busy:
            self._written = written
            self._writer.start(write)

    def _take_example(self, photos: list[Path]) -> None:
        self.photos = tuple(photos)

    def _report_exported(self, files: list[Path]) -> None:
        for file in files:
            self._hand_out(file)
        self._say(f"Wrote {len(files)} files into {files[0].parent}")

    def _say(self, notice: str, *, failed: bool = False) -> None:
        self.notice = notice
        self.failed = failed


def _example(folder: Path) -> list[Path]:
    """Write photos of a made-up material, with the camera and the light of each."""
    scenes = PhotoSetups(EXAMPLE_SEED, size=EXAMPLE_PIXELS, p_dirty=0.0)
    sample = make_sample(DatasetPlan(Procedural(EXAMPLE_SEED, 1), scenes, EXAMPLE_PIXELS), folder, 0)
    return photo_paths(folder / "input" / "clean" / sample.name)
