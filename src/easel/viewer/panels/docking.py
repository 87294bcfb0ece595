"""The docked layout of a page: the program's places put into Dear ImGui's dock space."""

import zlib
from collections.abc import Mapping, Sequence

from easel.viewer.imgui.layout import Area, PanelPlace, arrange, insert
from easel.viewer.imgui.toolkit import imgui

DIRECTIONS = {"left": "left", "right": "right", "top": "up", "bottom": "down"}
"""Dear ImGui's names of the sides."""


class Dock:
    """The dock space of one page. The program places its panels; a person may move them."""

    def __init__(self, page: str = "") -> None:
        self.area: Area = None
        """The arrangement that the program asked for."""
        self.reset = False
        """Request: put the panels back where the program placed them, in the next frame."""
        self.arrives = False
        """True in the first frame in which the page is shown again."""
        self._page = page
        self._known: dict[str, PanelPlace] = {}
        self._space = 0

    def place(self, places: Mapping[str, PanelPlace], *, drawing: bool) -> bool:
        """Submit the dock space, in every frame, and dock panels that are new in their place.

        Returns True when panels must find their size: something was placed, or the page was not shown before. A page
        with the same panels as when the layout was saved keeps the saved arrangement.
        """
        restored = False
        if places and not self._space:
            # Dear ImGui saves dock spaces by number: the same panels must find theirs in the next process.
            self._space = zlib.crc32("\0".join([self._page, *sorted(places)]).encode()) or 1
            # Loaded from the layout file before the first frame: what a person arranged wins over the program's places.
            restored = drawing and imgui.internal.dock_builder_get_node(self._space) is not None
        if drawing:
            imgui.dock_space_over_viewport(self._space, flags=imgui.DockNodeFlags_.passthru_central_node)
        new = [place for name, place in places.items() if name not in self._known]
        arrives, self.arrives = self.arrives and bool(places), False
        if not new and not self.reset:
            return arrives
        # The first panels are arranged together; later ones are added to what is there.
        if not self._known or self.reset:
            self.area = arrange(list(places.values()))
            if drawing and not restored:
                self._apply(self.area)
        else:
            self._insert(new, drawing=drawing)
        self.reset = False
        self._known = dict(places)
        return True

    def window(self, panel: str) -> str:
        """Return Dear ImGui's name of a panel's window: pages may have panels of the same name."""
        return f"{panel}###{self._page}/{panel}" if self._page else panel

    def _insert(self, new: Sequence[PanelPlace], *, drawing: bool) -> None:
        """Place panels that were made later beside the last one without a side."""
        for place in new:
            neighbour = next((name for name in reversed(self._known) if self._known[name].side is None), None)
            # Kept also without Dear ImGui: a contact sheet is drawn from it.
            self.area = insert(self.area, place, neighbour)
            if drawing:
                # Beside a neighbour, so that what a person has moved meanwhile stays where it is.
                self._apply(self.area) if neighbour is None else self._dock_beside(place, neighbour)
            self._known[place.panel] = place

    def _apply(self, area: Area) -> None:
        """Dock every panel of `area` in its place, from scratch."""
        builder = imgui.internal
        # Removed first: splitting a node that is split already would nest the old layout in the new one.
        builder.dock_builder_remove_node(self._space)
        builder.dock_builder_add_node(self._space, builder.DockNodeFlagsPrivate_.dock_space)
        builder.dock_builder_set_node_size(self._space, imgui.get_main_viewport().work_size)
        self._dock(area, self._space)
        builder.dock_builder_finish(self._space)

    def _dock(self, area: Area, node: int) -> None:
        if area is None:
            return
        if isinstance(area, str):
            imgui.internal.dock_builder_dock_window(self.window(area), node)
            return
        # `id_at_dir` is the part that was cut off at the side, which is `first`.
        split = imgui.internal.dock_builder_split_node(node, imgui.Dir[DIRECTIONS[area.side]], area.share)
        self._dock(area.first, split.id_at_dir)
        self._dock(area.rest, split.id_at_opposite_dir)

    def _dock_beside(self, place: PanelPlace, neighbour: str) -> None:
        """Split the node that `neighbour` is in now, wherever the person has put it."""
        window = imgui.internal.find_window_by_name(self.window(neighbour))
        # No node: the neighbour floats, and the new panel opens floating, too.
        if window is not None and window.dock_id:
            self._dock(insert(neighbour, place, neighbour), window.dock_id)
