"""The desk where photos become maps: what goes in, what comes out, and how it looks under a light."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from easel.graphics.files import FileError
from easel.materials.maps import MAP_NAMES
from easel.materials.recovery.photos import MOST_PHOTOS, SUFFIXES, photo_paths
from easel.materials.shipped import SHIPPED
from easel.materials.synthesis.photo_setups import Scenes
from easel.materials.synthesis.render_dataset import Plan, Procedural, make_sample
from easel.viewer.imgui.theme import ALARM, QUIET
from easel.viewer.panels.page import Page
from easel.viewer.panels.panel import Panel
from easel.workstation.materials.live_recovery import LiveRecovery, Options, Recovered, Request, saved_at
from easel.workstation.materials.material_export import FORMATS, export
from easel.workstation.materials.material_view import MaterialView, Stage
from easel.workstation.materials.relighting import Relit

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


class RecoveryDesk:
    """Joins a `LiveRecovery` to the widgets of a panel and to the canvases that show what it found."""

    def __init__(self, page: Page, out: Path) -> None:
        self.out = out
        self.live = LiveRecovery()
        self.photos: tuple[Path, ...] = ()
        self.network: Path | None = SHIPPED if SHIPPED.exists() else None
        self.options, self.stage = Options(), Stage()
        self.relit: Relit | None = None
        self.notice, self.failed = "", False
        self._hand_out = page.hand_out
        self._chores = ThreadPoolExecutor(1, "easel-chores")
        self._chore: tuple[Future[list[Path]], Callable[[list[Path]], object]] | None = None
        self._lit = page.panel("Relit", side="right", width=0.34)
        self._shown = (
            page.panel("Metallic, normal", side="right", width=0.41),
            page.panel("Albedo, roughness", side="right", width=0.69),
        )

    @property
    def found(self) -> Recovered | None:
        return self.live.found

    @property
    def settled(self) -> bool:
        """All is made and drawn in full, and no file is being written."""
        return not self.live.working and self._chore is None and (self.relit is None or self.relit.settled)

    @property
    def told(self) -> str:
        """What the photos are, or what to do so that there are some."""
        if not self.photos:
            return WHAT_TO_DO
        if self.network is None:
            return NO_NETWORK
        if self.found is None:
            return self.live.problem or "Looking at the photos ..."
        return ", ".join(self.found.names)

    # What goes in

    def take(self, path: Path) -> bool:
        """Take in a photo, a folder of photos or a network; False for what is none of them."""
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
        if len(self.photos) >= MOST_PHOTOS:
            self._say(f"{path.name} is left out: maps are made from up to {MOST_PHOTOS} photos.", failed=True)
        elif path not in self.photos:
            self.photos = (*self.photos, path)

    def clear(self) -> None:
        """No photos, as at first."""
        self.photos = ()
        self.live.forget()
        self._say("")

    def make_example(self) -> None:
        """Photograph a made-up material, and take in its photos."""
        self._do(lambda: _example(self.out / "example"), self._take_example)

    def export(self, format: str = "PNG, 8 bit") -> None:
        """Write the maps as one of `FORMATS` into a new folder, beside the loop."""
        found = self.found
        if found is not None:
            self._do(lambda: export(found.maps, format, self.out), self._tell_exported)

    # A frame

    def advance(self) -> None:
        """Ask for what the widgets say, and show what was found."""
        if self.photos and self.network is not None:
            self.live.ask(Request(self.photos, self.network, self.options, saved_at(self.network)))
        else:
            self.live.ask(None)
        if self.live.poll() and self.found is not None:
            self._show(self.found)
        if self._chore is not None and self._chore[0].done():
            (done, then), self._chore = self._chore, None
            try:
                then(done.result())
            except (FileError, OSError, ValueError, ImportError) as error:
                self._say(str(error), failed=True)

    def show(self, shown: bool) -> None:
        """Whether the panels are there: only where there are maps."""
        for panel in (self._lit, *self._shown):
            panel.open = shown and self.found is not None

    def _show(self, found: Recovered) -> None:
        canvases = {}
        for panel, names in zip(self._shown, (MAP_NAMES[2:], MAP_NAMES[:2]), strict=True):
            canvases |= {name: panel.canvas(name).bind(found.maps.picture(name), live=False) for name in names}
        first, *others = canvases.values()
        first.link(*others)
        material = MaterialView(found.maps)
        if self.relit is None:
            ball, plane = self._lit.canvas("ball"), self._lit.canvas("plane")
            self.relit = Relit(ball, plane, material, self.stage, self.out)
        self.relit.material = material

    # Widgets

    def draw(self, controls: Panel) -> None:
        self._draw_photos(controls)
        self._draw_network(controls)
        if not self.photos:
            self._tell(controls)
            return
        controls.section("Maps")
        self.options = controls.edit(self.options, name="maps")
        if self.live.working:
            controls.progress(self.live.progress, overlay="looking at the photos" if not self.live.progress else "")
        self._tell(controls)
        found = self.found
        if found is None:
            return
        names = list(FORMATS)
        chosen = names[controls.combo("Format", names, help="What the maps are written as.")]
        with controls.enabled(self._chore is None):
            if controls.button("Export", help="Into a new folder."):
                self.export(chosen)
        if self.relit is not None:
            controls.section("Light")
            self.relit.draw(controls)
            self.stage = self.relit.stage

    def _draw_photos(self, controls: Panel) -> None:
        controls.section("Photos")
        if self.photos:
            more = f" and {len(self.photos) - MOST_NAMES} more" if len(self.photos) > MOST_NAMES else ""
            controls.text_wrapped(", ".join(path.name for path in self.photos[:MOST_NAMES]) + more)
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
            with controls.enabled(self._chore is None):
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
            steps = f", {self.found.step:,} steps" if self.found is not None else ""
            controls.text("Easel's own" + steps if self.network == SHIPPED else self.network.name + steps)
        with controls.row():
            path = controls.file_dialog("Open network...", title="Open a network", filters=NETWORKS)
            if self.network != SHIPPED and SHIPPED.exists() and controls.button("Easel's own"):
                self.network = SHIPPED
        if path:
            self.network = Path(path)

    def _tell(self, controls: Panel) -> None:
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

    # Chores

    def close(self) -> None:
        self.live.close()
        if self.relit is not None:
            self.relit.close()
        self._chores.shutdown(cancel_futures=True)

    def _do(self, chore: Callable[[], list[Path]], then: Callable[[list[Path]], object]) -> None:
        if self._chore is None:
            self._chore = self._chores.submit(chore), then

    def _take_example(self, photos: list[Path]) -> None:
        self.photos = tuple(photos)

    def _tell_exported(self, files: list[Path]) -> None:
        for file in files:
            self._hand_out(file)
        self._say(f"Wrote {len(files)} files into {files[0].parent}")

    def _say(self, notice: str, *, failed: bool = False) -> None:
        self.notice, self.failed = notice, failed


def _example(folder: Path) -> list[Path]:
    """Photos of a made-up material, with what is known of each."""
    scenes = Scenes(EXAMPLE_SEED, size=EXAMPLE_PIXELS, p_dirty=0.0)
    sample = make_sample(Plan(Procedural(EXAMPLE_SEED, 1), scenes, EXAMPLE_PIXELS), folder, 0)
    return photo_paths(folder / "input" / "clean" / sample.name)
