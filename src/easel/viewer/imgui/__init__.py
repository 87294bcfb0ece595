"""The boundary to Dear ImGui: its loader, theme, fonts, events and dialogs, and the words that describe a layout."""
