"""Remakes the pictures of the four pages in `docs/images`, driven by what is written on them.

./dev run python docs/pages.py                    all four, some minutes on two cores
./dev run python docs/pages.py materials          one of them
./dev run python docs/pages.py --light --out DIR  to look at the light theme
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from easel.graphics.image import imwrite
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import PointerMoved
from easel.workstation.app import WorkstationConfig, open_shell, open_view
from easel.workstation.art.art_page import ArtPage
from easel.workstation.fit.fit_page import FitPage
from easel.workstation.materials.materials_page import MaterialsPage
from easel.workstation.shell import Shell

SIZE = 1440, 900
AWAY = PointerMoved(-1.0, -1.0)


class Visitor:
    """Drives a workstation, and takes pictures of it into `out`."""

    def __init__(self, shell: Shell, out: Path) -> None:
        self.shell, self.out = shell, out
        self.driver = Driver(shell.view, self.turn)
        self.driver.frames(2)

    def turn(self) -> None:
        self.shell.view.step()
        self.shell.advance()
        self.shell.view.end_step()

    def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.turn()
            time.sleep(0.01)

    def take(self, name: str) -> None:
        self.driver._pointer = AWAY
        self.driver.frames(2)
        file = self.out / f"page-{name}.png"
        imwrite(file, self.shell.view.capture())
        print(f"wrote {file}")


def fit(visitor: Visitor) -> None:
    page = visitor.shell.page("Fit")
    assert isinstance(page, FitPage)
    visitor.driver.select("Compare", "Wipe")
    visitor.until(lambda: page.settled)
    visitor.take("fit")


def network(visitor: Visitor) -> None:
    """A network of plain layers, so that there is something to see, looked into while it learns."""
    driver = visitor.driver
    driver.select("Encoding", "Fourier")
    driver.drag("Layers", 5)
    driver.click("Apply & Reset")
    driver.click("Look inside")
    page = visitor.shell.page("Fit")
    assert isinstance(page, FitPage)
    visitor.until(lambda: page.fit.index >= 60)
    visitor.take("network")


def art(visitor: Visitor) -> None:
    """A way from picture to picture."""
    driver = visitor.driver
    driver.click("Art")
    page = visitor.shell.page("Art")
    assert isinstance(page, ArtPage)
    visitor.until(lambda: page.settled)
    height, width = page.variations.size or (3, 3)
    for column, row in ((0, 0), (2, 1), (1, 0), (0, 2), (2, 2)):
        driver.stroke(page.variations, [(width * (column + 0.5) / 3, height * (row + 0.5) / 3)])
        visitor.until(lambda: page.settled)
    visitor.take("art")


def materials(visitor: Visitor) -> None:
    visitor.driver.click("Materials")
    page = visitor.shell.page("Materials")
    assert isinstance(page, MaterialsPage)
    visitor.driver.click("Try an example")
    visitor.until(lambda: page.recovery.found is not None and page.settled)
    visitor.take("materials")


PAGES = {"fit": fit, "network": network, "art": art, "materials": materials}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="*", help=f"which ones of {', '.join(PAGES)}; all of them by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--light", action="store_true", help="in the light theme")
    parser.add_argument("--steps", type=int, default=1500, help="of the fit")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.page or PAGES:
        with TemporaryDirectory() as folder:
            steps = given.steps if name in ("fit", "network") else 1
            config = WorkstationConfig(page="fit", out=Path(folder), headless=True, steps=steps, device="cpu")
            with open_view("Easel", config, SIZE) as view:
                view.theme = "light" if given.light else "dark"
                shell = open_shell(view, config)
                PAGES[name](Visitor(shell, given.out))
                shell.close()


if __name__ == "__main__":
    main()
