"""Import of Dear ImGui and ImPlot: every other module takes `imgui` and `implot` from here.

Both are None where the extension cannot load (without libX11, say). Then no `UI` is created, and panels return the
values that they store.
"""

from typing import TYPE_CHECKING

MISSING = ""
"""Reason why Dear ImGui cannot be used; empty when it can."""

if TYPE_CHECKING:
    from imgui_bundle import imgui, implot
else:
    try:
        from imgui_bundle import imgui, implot
    except ImportError as error:
        imgui = implot = None
        # The loader's message may span lines; ours ends up inside a sentence.
        MISSING = f"imgui-bundle does not load ({' '.join(str(error).split())})"

__all__ = ["MISSING", "imgui", "implot"]
