"""The programs that run on the GPU: a surface under a light, wide lines, round points, and the display pass."""

MESH_VERTEX = """
#version 330
uniform mat4 clip_from_world;
in vec3 position;
in vec3 normal;
in vec2 uv;
out vec3 at;
out vec3 facing;
out vec2 texel;
void main() {
    gl_Position = clip_from_world * vec4(position, 1);
    at = position;
    facing = normal;
    texel = uv;
}
"""
MESH_FRAGMENT = """
#version 330
uniform sampler2D picture;
uniform vec3 eye;
uniform vec3 to_light;
uniform vec3 light;
uniform float ambient;
uniform float diffuse;
uniform float specular;
uniform float shininess;
in vec3 at;
in vec3 facing;
in vec2 texel;
out vec4 color;

// IEC 61966-2-1; graphics.color has the same curves for tensors.
vec3 srgb_to_linear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), greaterThan(c, vec3(0.04045)));
}
vec3 linear_to_srgb(vec3 c) {
    return mix(c * 12.92, 1.055 * pow(c, vec3(1 / 2.4)) - 0.055, greaterThan(c, vec3(0.0031308)));
}

void main() {
    vec3 stored = texture(picture, texel).rgb;
    if (any(isnan(stored)) || any(isinf(stored))) {
        color = vec4(1, 0, 1, 1);
        return;
    }
    vec3 surface = srgb_to_linear(clamp(stored, 0, 1));
    vec3 n = normalize(gl_FrontFacing ? facing : -facing);
    float lit = max(dot(n, to_light), 0);
    // A surface that turns away from the light has no highlight, whatever the halfway vector says.
    float shine = lit > 0 ? pow(max(dot(n, normalize(to_light + normalize(eye - at))), 0), shininess) : 0;
    vec3 radiance = (surface * (ambient + lit * diffuse) + specular * shine) * light;
    color = vec4(linear_to_srgb(clamp(radiance, 0, 1)), 1);
}
"""

LIFT = """
vec4 row(mat4 m, int r) { return vec4(m[0][r], m[1][r], m[2][r], m[3][r]); }
// What a step toward the eye by as much as a pixel covers adds to clip-space z, at any distance: with z = a w + b,
// depth z / w changes by b / w² per unit, and at distance w a pixel covers 2 w / (scale * height) units.
float lift_per_pixel(mat4 clip_from_world, float height) {
    vec4 z = row(clip_from_world, 2), w = row(clip_from_world, 3);
    float b = z.w - dot(z.xyz, w.xyz) * w.w;
    return 2 * b / (length(row(clip_from_world, 1).xyz) * height);
}
"""
"""Lines and points stand out of a surface by their own width, else one that lies on it would be half in it."""

LINE_VERTEX = (
    """
#version 330
"""
    + LIFT
    + """uniform mat4 clip_from_world;
uniform vec2 size;
uniform float width;
in vec3 start;
in vec3 end;
in vec3 tint;
out vec3 shade;
void main() {
    vec4 a = clip_from_world * vec4(start, 1);
    vec4 b = clip_from_world * vec4(end, 1);
    // What passes the camera is cut at the near plane: behind it, dividing by w would mirror the point.
    float front_a = a.z + a.w, front_b = b.z + b.w;
    if (front_a < 0 && front_b > 0) a = mix(a, b, front_a / (front_a - front_b));
    if (front_b < 0 && front_a > 0) b = mix(b, a, front_b / (front_b - front_a));
    vec2 along = (b.xy / b.w - a.xy / a.w) * size;
    along = length(along) > 0 ? normalize(along) : vec2(1, 0);
    vec2 side = vec2(-along.y, along.x) * (gl_VertexID % 2 == 0 ? 1 : -1);
    bool first = gl_VertexID < 2;
    vec4 corner = first ? a : b;
    // Longer by half a width at both ends, so that lines that meet leave no notch.
    corner.xy += (side + (first ? -along : along)) * width / size * corner.w;
    corner.z += width * lift_per_pixel(clip_from_world, size.y);
    gl_Position = front_a < 0 && front_b < 0 ? vec4(2, 2, 2, 1) : corner;
    shade = tint;
}
"""
)
LINE_FRAGMENT = """
#version 330
in vec3 shade;
out vec4 color;
void main() { color = vec4(shade, 1); }
"""

POINT_VERTEX = (
    """
#version 330
"""
    + LIFT
    + """
uniform mat4 clip_from_world;
uniform vec2 size;
uniform float diameter;
in vec3 position;
in vec3 tint;
flat out vec3 shade;
flat out vec2 center;
void main() {
    gl_Position = clip_from_world * vec4(position, 1);
    center = (gl_Position.xy / gl_Position.w * 0.5 + 0.5) * size;
    gl_Position.z += diameter * lift_per_pixel(clip_from_world, size.y);
    gl_PointSize = diameter + 2;
    shade = tint;
}
"""
)
POINT_FRAGMENT = """
#version 330
uniform float diameter;
uniform float least_coverage;
flat in vec3 shade;
flat in vec2 center;
out vec4 color;
void main() {
    // How much of this pixel the disc covers; the driver turns alpha into samples. gl_PointCoord would be shorter,
    // but where there are samples it is half a pixel off in Mesa's software driver.
    float coverage = clamp(diameter / 2 + 0.5 - distance(gl_FragCoord.xy, center), 0, 1);
    if (coverage < least_coverage) discard;
    color = vec4(shade, coverage);
}
"""

WHOLE_VERTEX = """
#version 330
const vec2 corner[4] = vec2[](vec2(-1, -1), vec2(1, -1), vec2(-1, 1), vec2(1, 1));
void main() { gl_Position = vec4(corner[gl_VertexID], 0, 1); }
"""
MAPPING_FRAGMENT = """
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
"""
