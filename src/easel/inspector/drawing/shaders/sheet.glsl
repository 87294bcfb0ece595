uniform mat4 clip_from_world;
uniform vec4 sheet[22];
// 0 origin, sequential?  1 right, first level there  2 down, last level  3 columns, rows of the tile, where it begins
// 4 kernel columns, rows, rows of a band, chosen?  5 block columns, rows, blocks across, gutter
// 6 length of what is folded, wide?, columns, rows of the sheet  7 the cell under the pointer, -, outline: 2 no filling
// 8 … limit of a level, left and upper texel of the level
