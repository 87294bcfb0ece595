#version 330
uniform sampler2D source;
uniform vec2 shown;
uniform vec2 origin;
out vec4 color;
void main() {
    // gl_FragCoord is at a pixel's centre already, so the texel that contains it is the floor.
    vec2 size = vec2(textureSize(source, 0));
    color = texelFetch(source, ivec2(min((gl_FragCoord.xy + origin) / shown * size, size - 1)), 0);
}
