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
