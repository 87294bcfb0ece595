// Lines and points stand out of a surface by their own width, else one that lies on it would be half in it.
vec4 row(mat4 m, int r) { return vec4(m[0][r], m[1][r], m[2][r], m[3][r]); }
// What a step toward the eye by as much as a pixel covers adds to clip-space z, at any distance: with z = a w + b,
// depth z / w changes by b / w² per unit, and at distance w a pixel covers 2 w / (scale * height) units.
float lift_per_pixel(mat4 clip_from_world, float height) {
    vec4 z = row(clip_from_world, 2), w = row(clip_from_world, 3);
    float b = z.w - dot(z.xyz, w.xyz) * w.w;
    return 2 * b / (length(row(clip_from_world, 1).xyz) * height);
}
