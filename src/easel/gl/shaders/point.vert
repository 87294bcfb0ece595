#version 330
#include "lift.glsl"
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
