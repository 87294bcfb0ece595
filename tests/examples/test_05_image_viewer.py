"""What the formulas say is shown, what is shown is saved, and what goes wrong is said."""

import torch

import easel


def test_every_transform_is_its_formula(example) -> None:
    program = example("05_image_viewer")
    driver, module = program.driver, program.module
    x = module.state["picture"]
    red, green, blue = x.unbind(-1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    sepia = [0.393 * red + 0.769 * green + 0.189 * blue, 0.349 * red + 0.686 * green + 0.168 * blue]
    sepia = torch.stack([*sepia, 0.272 * red + 0.534 * green + 0.131 * blue], dim=-1)
    expected = {
        "None": x,
        "Horizontal Flip": torch.fliplr(x),
        "Vertical Flip": torch.flipud(x),
        "Grayscale": torch.stack([luma] * 3, dim=-1),
        "Invert": 1 - x,
        "Sepia": sepia,
    }
    for name, picture in expected.items():
        driver.select("Transform", name)
        torch.testing.assert_close(module.result.look(), picture.clamp(0, 1), atol=1e-6, rtol=0)
    driver.type("Brightness", "0.25")
    driver.type("Contrast", "2")
    torch.testing.assert_close(module.result.look(), ((sepia - 0.5) * 2 + 0.75).clamp(0, 1), atol=1e-5, rtol=0)
    assert torch.equal(module.original.look(), x)


def test_it_is_computed_only_when_something_changes(example) -> None:
    program = example("05_image_viewer")
    program.driver.frames(1)
    version = program.module.result.version
    program.driver.frames(5)
    assert program.module.result.version == version
    program.driver.type("Contrast", "1.5")
    assert program.module.result.version == version + 1
    program.driver.select("Sampling", "nearest")
    assert program.module.result.filter == program.module.original.filter == "nearest"


def test_the_saved_file_is_what_is_shown(example, tmp_path) -> None:
    program = example("05_image_viewer")
    driver, canvas = program.driver, program.module.result
    driver.select("Transform", "Sepia")
    driver.drag("Brightness", 0.1)
    driver.type("Path", "made/sepia.png")
    driver.click("Save Image")
    saved = easel.imread(tmp_path / "made" / "sepia.png", channels=3)
    assert (saved - canvas.look()).abs().max() <= 1 / 510 + 1e-6
    shown = program.shown(canvas)
    samples = torch.nn.functional.interpolate(
        saved.permute(2, 0, 1)[None], shown.shape[:2], mode="bilinear", antialias=True
    )[0].permute(1, 2, 0)
    assert (samples - shown).abs().mean() < 0.01


def test_pictures_are_opened_and_bad_paths_are_said(example, tmp_path) -> None:
    program = example("05_image_viewer")
    driver, module = program.driver, program.module
    easel.imwrite(tmp_path / "small.png", torch.zeros(7, 9, 3))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    driver.answer_dialog(tmp_path / "small.png")
    driver.click("Open Image...")
    assert module.state["picture"].shape == (7, 9, 3) and not module.state["failed"]
    for path in ("broken.png", "missing.png"):
        driver.answer_dialog(tmp_path / path)
        driver.click("Open Image...")
        assert module.state["failed"] and path in module.state["message"]
        assert module.state["picture"].shape == (7, 9, 3)
    for path in ("picture.doc", "", "small.png/inside.png"):
        module.state["failed"] = False
        driver.type("Path", path)
        driver.click("Save Image")
        assert module.state["failed"] and module.state["message"]
    driver.type("Path", "fine.png")
    driver.click("Save Image")
    assert not module.state["failed"] and (tmp_path / "fine.png").exists()
