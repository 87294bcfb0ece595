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
