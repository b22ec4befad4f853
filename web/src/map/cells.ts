// The base map's pieces: which cell of the globe lies where, and what its file is called.

export const CELL_DEGREES = 20;

export function cellName(west: number, south: number): string {
  return `${west < 0 ? "w" : "e"}${Math.abs(west)}${south < 0 ? "s" : "n"}${Math.abs(south)}`;
}

/** Names of the cells a view touches. A view over the date line asks for both ends. */
export function cellsIn(west: number, south: number, east: number, north: number): string[] {
  const names = new Set<string>();
  const floor = (degrees: number) => Math.floor(degrees / CELL_DEGREES) * CELL_DEGREES;
  for (let x = floor(west); x < east; x += CELL_DEGREES)
    for (let y = Math.max(floor(south), -80); y < Math.min(north, 80); y += CELL_DEGREES)
      names.add(cellName(((((x + 180) % 360) + 360) % 360) - 180, y));
  return [...names];
}
