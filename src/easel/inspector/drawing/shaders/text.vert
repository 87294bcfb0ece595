#version 330
uniform vec2 size;
in vec4 place;
in vec4 glyph;
in vec4 ink;
out vec2 texel;
out vec4 tint;
void main() {
    vec2 corner = vec2(gl_VertexID % 2, gl_VertexID / 2);
    vec2 at = (place.xy + corner * place.zw) / size;
    gl_Position = vec4(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0, 1);
    texel = glyph.xy + corner * glyph.zw;
    tint = ink;
}
