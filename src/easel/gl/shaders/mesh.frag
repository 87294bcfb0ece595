#version 330
uniform sampler2D picture;
uniform vec3 eye;
uniform vec3 to_light;
uniform vec3 light;
uniform float ambient;
uniform float diffuse;
uniform float specular;
uniform float shininess;
in vec3 at;
in vec3 facing;
in vec2 texel;
out vec4 color;

// IEC 61966-2-1; graphics.color has the same curves for tensors.
vec3 srgb_to_linear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), greaterThan(c, vec3(0.04045)));
}
vec3 linear_to_srgb(vec3 c) {
    return mix(c * 12.92, 1.055 * pow(c, vec3(1 / 2.4)) - 0.055, greaterThan(c, vec3(0.0031308)));
}

void main() {
    vec3 stored = texture(picture, texel).rgb;
    if (any(isnan(stored)) || any(isinf(stored))) {
        color = vec4(1, 0, 1, 1);
        return;
    }
    vec3 surface = srgb_to_linear(clamp(stored, 0, 1));
    vec3 n = normalize(gl_FrontFacing ? facing : -facing);
    float lit = max(dot(n, to_light), 0);
    // A surface that turns away from the light has no highlight, whatever the halfway vector says.
    float shine = lit > 0 ? pow(max(dot(n, normalize(to_light + normalize(eye - at))), 0), shininess) : 0;
    vec3 radiance = (surface * (ambient + lit * diffuse) + specular * shine) * light;
    color = vec4(linear_to_srgb(clamp(radiance, 0, 1)), 1);
}
