#version 330
uniform sampler2D source;
uniform sampler2D table;
uniform sampler2D pattern;
uniform int channels;
uniform float scale;
uniform float offset;
uniform int tonemap;
uniform float gamma;
uniform bool colored;
uniform bool clip_marks;
uniform bool checkered;
uniform bool dithered;
uniform vec3 nan_mark;
uniform vec3 over_mark;
uniform vec3 under_mark;
out vec4 color;

// By the bits: compilers may take isnan(x) for false.
uvec4 magnitude(vec4 v) { return floatBitsToUint(v) & 0x7fffffffu; }

// IEC 61966-2-1, as graphics.color.linear_to_srgb has it.
vec3 encoded(vec3 light) {
    vec3 m = abs(light);
    vec3 curved = 1.055 * pow(max(m, 0.0031308), vec3(1 / 2.4)) - 0.055;
    return mix(curved * sign(light), 12.92 * light, lessThanEqual(m, vec3(0.0031308)));
}

// graphics.color.tonemap has the source and the reasons.
vec3 neutral(vec3 light) {
    vec3 e = max(light, 0);
    float peak = max(max(e.r, e.g), e.b);
    float over = max(peak, 0.8);
    float shown = 1 - 0.04 / (over - 0.6);
    float kept = 1 / (0.15 * (over - shown) + 1);
    return peak <= 0.8 ? e : e * (shown / over * kept) + shown * (1 - kept);
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec4 stored = texelFetch(source, at, 0);
    if (channels == 1) stored = stored.rrrr;
    if (channels == 3) stored.a = stored.r;  // no alpha that could be strange
    uvec4 bits = magnitude(stored);
    vec3 toned = stored.rgb * scale + offset;
    if (tonemap == 1) toned = encoded(toned);
    if (tonemap == 2) toned = encoded(neutral(toned));
    vec3 shown = toned;
    if (colored) shown = vec3(channels == 1 ? toned.r : (toned.r + toned.g + toned.b) / 3);
    if (gamma != 1) shown = pow(max(shown, 0), vec3(1 / gamma));
    shown = clamp(shown, 0, 1);
    if (colored) shown = texelFetch(table, ivec2(int(roundEven(255 * shown.r)), 0), 0).rgb;
    if (checkered) {
        ivec2 square = at >> 3;
        shown = mix(vec3((square.x + square.y) % 2 == 0 ? 0.4 : 0.6), shown, clamp(stored.a, 0, 1));
    }
    if (dithered) shown = clamp(shown + texelFetch(pattern, at % textureSize(pattern, 0), 0).r / 255, 0, 1);
    if (clip_marks) {
        if (any(lessThan(toned, vec3(-1e-6)))) shown = under_mark;
        if (any(greaterThan(toned, vec3(1 + 1e-6)))) shown = over_mark;
    }
    bvec4 infinite = equal(bits, uvec4(0x7f800000u));
    bvec4 negative = lessThan(stored, vec4(0));
    for (int c = 0; c < 4; c++) if (infinite[c] && negative[c]) shown = under_mark;
    for (int c = 0; c < 4; c++) if (infinite[c] && !negative[c]) shown = over_mark;
    if (any(greaterThan(bits, uvec4(0x7f800000u)))) shown = nan_mark;
    color = vec4(roundEven(255 * shown) / 255, 1);
}
