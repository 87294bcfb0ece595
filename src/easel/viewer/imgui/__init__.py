"""Dear ImGui: context, theme, fonts, input events, layout and damage; knows no tensors and no views."""
