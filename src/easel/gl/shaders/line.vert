#version 330
#include "lift.glsl"
uniform mat4 clip_from_world;
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
