"""The programs that draw sheets, plates and text. Cells, lines and outlines are worked out per pixel."""

from easel.inspector.drawing.colors import AMBER, LOUD, NEGATIVE, POSITIVE, SEQUENTIAL, WHITE, ZERO, Rgb

SHEET_FLOATS = 22 * 4
"""Floats of the uniform `sheet`."""


def _vec3(color: Rgb) -> str:
    return f"vec3({', '.join(f'{part:.6f}' for part in color)})"


SHEET_UNIFORMS = """
#version 330
uniform mat4 clip_from_world;
uniform vec4 sheet[22];
// 0 origin, sequential?  1 right, first level there  2 down, last level  3 columns, rows of the tile, where it begins
// 4 kernel columns, rows, rows of a band, chosen?  5 block columns, rows, blocks across, gutter
// 6 length of what is folded, wide?, columns, rows of the sheet  7 the cell under the pointer, -, outline: 2 no filling
// 8 … limit of a level, left and upper texel of the level
"""
SHEET_VERTEX = (
    SHEET_UNIFORMS
    + """
out vec2 uv;
void main() {
    uv = vec2(gl_VertexID % 2, gl_VertexID / 2);
    gl_Position = clip_from_world * vec4(sheet[0].xyz + uv.x * sheet[1].xyz + uv.y * sheet[2].xyz, 1);
}
"""
)
SHEET_CELLS = (
    SHEET_UNIFORMS
    + """
uniform sampler2D values;
in vec2 uv;

ivec2 cell_of(vec2 at) {
    return clamp(ivec2(at), ivec2(0), ivec2(sheet[3].xy) - 1);
}
// Whether a cell shows no value: in a gutter, or behind the last block's end.
bool is_unused(ivec2 cell, bool gutters) {
    ivec2 block = ivec2(sheet[5].xy), pitch = block + int(sheet[5].w);
    ivec2 number = cell / pitch, inner = cell - number * pitch;
    if (gutters && any(greaterThanEqual(inner, block))) return true;
    inner = min(inner, block - 1);
    int along = number.y * int(sheet[5].z) + number.x;
    int place = sheet[6].y > 0.5 ? along * block.x + inner.x : along * block.y + inner.y;
    return place >= int(sheet[6].x);
}
"""
)
SHEET_FRAGMENT = (
    SHEET_CELLS
    + """
out vec4 color;

"""
    + "\n".join(
        f"const vec3 {name} = {_vec3(value)};"
        for name, value in (
            ("zero", ZERO),
            ("negative", NEGATIVE[0]),
            ("deep_negative", NEGATIVE[1]),
            ("positive", POSITIVE[0]),
            ("deep_positive", POSITIVE[1]),
            ("loud", LOUD),
            ("amber", AMBER),
            ("white", WHITE),
        )
    )
    + f"\nconst vec3 ramp[{len(SEQUENTIAL)}] = vec3[]({', '.join(map(_vec3, SEQUENTIAL))});"
    + f"\nconst int steps = {len(SEQUENTIAL) - 1};"
    + """

vec3 diverging(float v) {
    float t = pow(abs(v), 0.7);
    vec3 near = v < 0.0 ? negative : positive, far = v < 0.0 ? deep_negative : deep_positive;
    return t < 0.6 ? mix(zero, near, t / 0.6) : mix(near, far, (t - 0.6) / 0.4);
}
vec3 sequential(float v) {
    float t = pow(abs(v), 0.7) * float(steps);
    int i = min(int(t), steps - 1);
    return mix(ramp[i], ramp[i + 1], t - float(i));
}
// How much of a pixel a line of `width` pixels covers that lies at every multiple of `period`.
float line(float at, float period, float slope, float width) {
    float distance = abs(at - period * round(at / period)) / slope;
    return clamp(0.5 * width + 0.5 - distance, 0.0, 1.0);
}

// A texel as share of its level's limit.
float value_at(ivec2 cell, int level) {
    ivec2 count = max(ivec2(sheet[3].xy) >> level, 1);
    vec4 entry = sheet[8 + level];
    return texelFetch(values, ivec2(entry.yz) + min(cell >> level, count - 1), 0).r / entry.x;
}
vec3 shade(float share) {
    float v = clamp(share, -1.0, 1.0);
    return sheet[0].w > 0.5 ? sequential(v) : diverging(v);
}

void main() {
    vec2 cells = sheet[3].xy, at = uv * cells, dx = dFdx(at), dy = dFdy(at);
    vec2 slope = max(abs(dx) + abs(dy), vec2(1e-9)), size = 1.0 / slope;
    int first = int(sheet[1].w), last = int(sheet[2].w);
    // Rounded up: texels smaller than a pixel would be skipped, and a lone weight with them.
    float wanted = 0.5 * log2(max(dot(dx, dx), dot(dy, dy)));
    int level = int(clamp(ceil(wanted), float(first), float(last)));
    ivec2 cell = cell_of(at), whole = cell + ivec2(sheet[3].zw);
    if (is_unused(whole, level == 0)) discard;
    float v = value_at(cell, level);
    // Short of the next level its colour fades in: else the border between two would be seen as an edge.
    float fade = level < last ? smoothstep(0.5, 1.0, wanted - float(level - 1)) : 0.0;
    float coarse = fade > 0.0 ? value_at(cell, level + 1) : v;
    if (isnan(v + coarse) || isinf(v + coarse)) {
        color = vec4(loud, 1);
        return;
    }
    vec3 seen = mix(shade(v), shade(coarse), fade);
    vec2 place = at + sheet[3].zw;
    // Lines fade in as what they part grows: kernels from 6 pixels on, cells from 12, bands from 8.
    vec3 ink = sheet[0].w > 0.5 ? vec3(0.75) : vec3(0.08, 0.09, 0.13);
    vec2 thin = vec2(line(place.x, 1.0, slope.x, 1.0), line(place.y, 1.0, slope.y, 1.0));
    thin *= smoothstep(10.0, 18.0, min(size.x, size.y)) * 0.28;
    seen = mix(seen, ink, max(thin.x, thin.y));
    if (max(sheet[4].x, sheet[4].y) > 1.5) {
        vec2 kernel = sheet[4].xy * size;
        float width = smoothstep(30.0, 120.0, min(kernel.x, kernel.y)) + 1.0;
        vec2 thick = vec2(line(place.x, sheet[4].x, slope.x, width), line(place.y, sheet[4].y, slope.y, width));
        thick *= smoothstep(5.0, 10.0, min(kernel.x, kernel.y)) * 0.72;
        seen = mix(seen, ink, max(thick.x, thick.y));
    }
    if (sheet[4].z > 0.5) {
        float band = line(place.y, sheet[4].z, slope.y, 1.6) * smoothstep(6.0, 12.0, sheet[4].z * size.y);
        seen = mix(seen, amber, band * 0.9);
    }
    vec2 frame = min(place, sheet[6].zw - place) * size, wide = sheet[6].zw * size;
    float edge = min(frame.x, frame.y), reach = min(wide.x, wide.y);
    float outline = clamp(1.6 - edge, 0.0, 1.0) * smoothstep(8.0, 14.0, reach) * min(sheet[7].w, 1.0);
    if (sheet[7].w > 1.5 && edge > 1.6) discard;
    seen = mix(seen, amber, outline * 0.85);
    if (sheet[4].w > 0.5) seen = mix(seen, white, clamp(2.6 - edge, 0.0, 1.0));
    if (sheet[7].x >= 0.0) {
        vec2 within = min(place - sheet[7].xy, sheet[7].xy + 1.0 - place) * size;
        float ring = min(within.x, within.y);
        if (ring > -2.5 && ring < 1.0) seen = ring < -1.2 ? vec3(0) : amber;
    }
    color = vec4(seen, 1);
}
"""
)

PLATE_VERTEX = """
#version 330
uniform mat4 clip_from_world;
in vec3 origin;
in vec3 right;
in vec3 down;
in vec4 fill;
in vec4 border;
out vec2 at;
flat out vec2 sides;
flat out vec4 inside;
flat out vec4 outside;
void main() {
    vec2 uv = vec2(gl_VertexID % 2, gl_VertexID / 2);
    gl_Position = clip_from_world * vec4(origin + uv.x * right + uv.y * down, 1);
    sides = vec2(length(right), length(down));
    at = uv * sides;
    inside = fill;
    outside = border;
}
"""
PLATE_FRAGMENT = """
#version 330
in vec2 at;
flat in vec2 sides;
flat in vec4 inside;
flat in vec4 outside;
out vec4 color;
void main() {
    // Signed distance to a rectangle with round corners; the radius travels as the fill's fourth number.
    float radius = min(inside.w, 0.5 * min(sides.x, sides.y));
    vec2 q = abs(at - 0.5 * sides) - 0.5 * sides + radius;
    float away = length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - radius;
    if (away > 0.0) discard;
    float pixel = max(length(vec2(dFdx(away), dFdy(away))), 1e-9);
    color = vec4(mix(inside.rgb, outside.rgb, clamp(outside.w + 0.5 + away / pixel, 0.0, 1.0)), 1);
}
"""

TEXT_VERTEX = """
#version 330
uniform vec2 size;
in vec4 place;
in vec4 glyph;
in vec4 ink;
out vec2 texel;
out vec4 tint;
void main() {
    vec2 corner = vec2(gl_VertexID % 2, gl_VertexID / 2);
    vec2 at = (place.xy + corner * place.zw) / size;
    gl_Position = vec4(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0, 1);
    texel = glyph.xy + corner * glyph.zw;
    tint = ink;
}
"""
TEXT_FRAGMENT = """
#version 330
uniform sampler2D glyphs;
in vec2 texel;
in vec4 tint;
out vec4 color;
void main() {
    // Whole pixels: each texel of a letter is one pixel. Left of the table, the quad is filled.
    float cover = texel.x < 0.0 ? 1.0 : texelFetch(glyphs, ivec2(texel), 0).r;
    color = vec4(tint.rgb, tint.a * cover);
}
"""
