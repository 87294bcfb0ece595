#version 330
#include "sheet.glsl"
out vec2 uv;
void main() {
    uv = vec2(gl_VertexID % 2, gl_VertexID / 2);
    gl_Position = clip_from_world * vec4(sheet[0].xyz + uv.x * sheet[1].xyz + uv.y * sheet[2].xyz, 1);
}
