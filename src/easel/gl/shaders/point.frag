#version 330
uniform float diameter;
uniform float least_coverage;
flat in vec3 shade;
flat in vec2 center;
out vec4 color;
void main() {
    // How much of this pixel the disc covers; the driver turns alpha into samples. gl_PointCoord would be shorter,
    // but where there are samples it is half a pixel off in Mesa's software driver.
    float coverage = clamp(diameter / 2 + 0.5 - distance(gl_FragCoord.xy, center), 0, 1);
    if (coverage < least_coverage) discard;
    color = vec4(shade, coverage);
}
