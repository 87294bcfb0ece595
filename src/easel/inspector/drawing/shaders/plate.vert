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
