"""Letters: found in the system's fonts, and told once where they are in none."""

from pathlib import Path

import pytest
import torch

from easel.viewer.imgui import fonts
from easel.viewer.imgui.fonts import CJK, find_font, font_files, font_folders


@pytest.fixture(autouse=True)
def nothing_told_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_missing", [])
    monkeypatch.setattr(fonts, "_checked", set())


def test_the_better_font_and_the_regular_weight_win(tmp_path: Path) -> None:
    for name in ("deep/wqy-zenhei.ttc", "noto/NotoSansCJK-Bold.ttc", "noto/NotoSansCJK-Regular.ttc", "msyhbd.ttc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = font_files((tmp_path, tmp_path / "gone"))
    assert {file.name for file in files} == {"wqy-zenhei.ttc", "NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc",
                                             "msyhbd.ttc"}  # fmt: skip
    assert find_font(CJK, files) == tmp_path / "noto/NotoSansCJK-Regular.ttc"
    assert find_font(CJK[3:], files) == tmp_path / "deep/wqy-zenhei.ttc"
    assert find_font(("msyh.*",), files) is None, "the bold one is another"


def test_a_person_s_own_fonts_are_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert font_folders()[0] == tmp_path / "fonts"


def draw_words(view, words: list[str]) -> None:
    panel = view.panel("P")

    @panel.on_frame
    def draw() -> None:
        for number, text in enumerate(words):
            panel.text(text)
            panel.button(f"{text}##{number}")
            panel.input_text(f"##{number} text", default=text)
            panel.combo(f"##{number} combo", [text])

    view.run(max_frames=3)


@pytest.mark.parametrize("backend", ["headless", "none"])
def test_latin_and_greek_are_always_there(gl: None, open_view, caplog, backend: str) -> None:
    draw_words(open_view(backend=backend), ["plain 100%", "Größe", "ε → λ", "naïve, œuvre"])
    assert not caplog.messages


@pytest.mark.parametrize("backend", ["headless", "none"])
def test_what_no_font_has_is_told_once(gl: None, open_view, caplog, monkeypatch, backend: str) -> None:
    monkeypatch.setattr(fonts, "CJK", ())
    for _ in range(2):
        draw_words(open_view(backend=backend), ["学习率 learning", "한국어"])
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("no font here has 习学率: such letters")


def test_chinese_is_drawn_where_a_font_has_it(open_headless, caplog) -> None:
    if find_font(CJK, font_files(tuple(font_folders()))) is None:
        pytest.skip("no Chinese font on this machine")
    pictures = []
    for text in ("学习", "数据"):
        view = open_headless("Letters", 200, 100)
        draw_words(view, [text])
        pictures.append(view.capture())
        view.close()
    assert not caplog.messages and not torch.equal(*pictures)
