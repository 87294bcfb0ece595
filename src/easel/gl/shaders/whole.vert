#version 330
const vec2 corner[4] = vec2[](vec2(-1, -1), vec2(1, -1), vec2(-1, 1), vec2(1, 1));
void main() { gl_Position = vec4(corner[gl_VertexID], 0, 1); }
