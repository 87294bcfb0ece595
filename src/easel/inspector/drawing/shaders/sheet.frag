#version 330
#include "sheet_cells.glsl"
#include "colors.glsl"
out vec4 color;

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
// Share of a pixel that is covered by lines of `width` pixels at every multiple of `period`.
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
