"""A network as a web page: what a real browser shows, and that its picks are the tensor's own values."""

import json
import re

import pytest
import torch
from torch import nn

from easel.inspector.export.web_page import save_html
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors

PROBE = """<script>
  const probes = PROBES, found = [];
  for (const [name, row, column] of probes) {
    const sheet = easel.sheets.find(sheet => sheet.name === name);
    easel.visit(sheet);
    const along = easel.sum(sheet.origin, sheet.right, (column + 0.5) / sheet.grid[1]);
    const at = easel.sum(along, sheet.down, (row + 0.5) / sheet.grid[0]);
    const hit = easel.pick(...easel.project(at));
    found.push({name: hit?.sheet.name, index: hit?.index, value: hit?.value});
  }
  easel.draw();
  const gl2 = document.getElementById("canvas").getContext("webgl2"), pixel = new Uint8Array(4);
  gl2.readPixels(gl2.drawingBufferWidth >> 1, gl2.drawingBufferHeight >> 1, 1, 1, gl2.RGBA, gl2.UNSIGNED_BYTE, pixel);
  const probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = JSON.stringify({found, pixel: [...pixel], labels: document.getElementById("labels").textContent,
                                      names: document.getElementById("names").textContent,
                                      low: document.getElementById("low").textContent});
  document.body.append(probe);
</script></body>"""


def probed(page, browse, probes):
    """What the browser's script found at cells (name, row, column) of sheets."""
    script = PROBE.replace("PROBES", json.dumps(probes))
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", script), encoding="utf-8")
    document = browse(page, size=(640, 480))
    found = re.search(r'id="probe">([^<]+)<', document)
    assert found, document[-1500:]
    return json.loads(found[1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))


@pytest.mark.slow
def test_a_browser_picks_the_values(tmp_path, browse):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(300, 4))
    refs = tensors(model)
    page = tmp_path / "network.html"
    assert save_html(page, refs.values(), title="<b>&") == ()
    from easel.inspector.layout.sheet_map import sheet_of

    probes = []
    for name in ("0.weight", "0.bias", "1.running_var", "2.weight"):
        rows, columns = sheet_of(refs[name]).grid
        probes += [[name, row, column] for row in (0, rows // 2, rows - 1) for column in (0, columns // 3)]
    told = probed(page, browse, probes)
    for (name, row, column), hit in zip(probes, told["found"], strict=True):
        index = sheet_of(refs[name]).index(row, column)
        assert hit["name"] == name
        assert hit["index"] == (None if index is None else list(index))
        if index is not None:
            assert hit["value"] == pytest.approx(refs[name].tensor[index].item(), rel=2**-11, abs=1e-7)
    assert "2.weight" in told["labels"] and all(name in told["names"] for name, _, _ in probes)


@pytest.mark.slow
def test_the_browser_shows_sign_in_colour(tmp_path, browse):
    page = tmp_path / "positive.html"
    save_html(page, [TensorRef("w", torch.full((6, 6), 2e-9))])
    told = probed(page, browse, [["w", 2, 3]])
    red, _, blue, _ = told["pixel"]
    assert red > blue + 60
    assert told["found"][0]["value"] == pytest.approx(2e-9, rel=1e-3)


def test_what_does_not_fit_is_made_coarser_and_named(tmp_path):
    torch.manual_seed(0)
    refs = [TensorRef("large", torch.randn(300, 400)), TensorRef("small", torch.randn(5, 5))]
    page = tmp_path / "page.html"
    assert save_html(page, refs, limit_bytes=100_000) == ("large",)
    assert page.stat().st_size < 250_000
    with pytest.raises(ValueError, match="MiB"):
        save_html(page, refs, limit_bytes=100)


def test_a_page_fetches_nothing_and_escapes_names(tmp_path):
    page = tmp_path / "page.html"
    save_html(page, [TensorRef("</script><b>", torch.ones(2, 2))], title="</title><b>")
    text = page.read_text(encoding="utf-8")
    assert "</script><b>" not in text and "</title><b>" not in text
    assert "default-src 'none'" in text and "http" not in re.sub(r"<script.*?</script>", "", text, flags=re.S).replace(
        "http-equiv", ""
    )


def test_nothing_to_show_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no tensor"):
        save_html(tmp_path / "page.html", [])
