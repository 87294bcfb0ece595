#version 330
uniform sampler2D glyphs;
in vec2 texel;
in vec4 tint;
out vec4 color;
void main() {
    // Whole pixels: each texel of a letter is one pixel. Left of the table, the quad is filled.
    float cover = texel.x < 0.0 ? 1.0 : texelFetch(glyphs, ivec2(texel), 0).r;
    color = vec4(tint.rgb, tint.a * cover);
}
