#include "sheet.glsl"
uniform sampler2D values;
in vec2 uv;

ivec2 cell_of(vec2 at) {
    return clamp(ivec2(at), ivec2(0), ivec2(sheet[3].xy) - 1);
}
// True for a cell without a value: in a gutter, or behind the last block's end.
bool is_unused(ivec2 cell, bool gutters) {
    ivec2 block = ivec2(sheet[5].xy), pitch = block + int(sheet[5].w);
    ivec2 number = cell / pitch, inner = cell - number * pitch;
    if (gutters && any(greaterThanEqual(inner, block))) return true;
    inner = min(inner, block - 1);
    int along = number.y * int(sheet[5].z) + number.x;
    int place = sheet[6].y > 0.5 ? along * block.x + inner.x : along * block.y + inner.y;
    return place >= int(sheet[6].x);
}
