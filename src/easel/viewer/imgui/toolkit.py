"""Dear ImGui, where it loads: every other file takes `imgui` and `implot` from here.

Where the extension cannot load (no libX11, say), both are None and `MISSING` says why. Then no `UI` is ever made, and
panels hand out their stored values.
"""

from typing import TYPE_CHECKING

MISSING = ""
"""Why Dear ImGui cannot be used; empty when it can."""

if TYPE_CHECKING:
    from imgui_bundle import imgui, implot
else:
    try:
        from imgui_bundle import imgui, implot
    except ImportError as error:
        imgui = implot = None
        MISSING = f"imgui-bundle does not load ({' '.join(str(error).split())})"

__all__ = ["MISSING", "imgui", "implot"]
