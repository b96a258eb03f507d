// Where the cells of the map are. Knows nothing of the DOM.
export interface Grid { columns: number; radius: number; width: number; height: number; many: number }

const LARGEST = 60;
const SMALLEST = 7;

// Hexagons with a corner on top, as large as fit in `width` by `height`; when even the smallest do not fit, the map is
// higher.
export function gridOf(many: number, width: number, height: number): Grid {
  let radius = LARGEST;
  const columnsAt = (r: number) => Math.max(1, Math.floor((width / r - Math.sqrt(3) / 2) / Math.sqrt(3)));
  const heightAt = (r: number) => (Math.ceil(many / columnsAt(r)) * 1.5 + 0.5) * r;
  while (radius > SMALLEST && heightAt(radius) > height) --radius;
  return { columns: columnsAt(radius), radius, width, height: Math.max(heightAt(radius), radius * 2), many };
}

export function centre(grid: Grid, i: number): [number, number] {
  const row = Math.floor(i / grid.columns);
  const column = i % grid.columns;
  const step = Math.sqrt(3) * grid.radius;
  return [step * (column + 0.5 + (row % 2) * 0.5), grid.radius * (1 + row * 1.5)];
}

// The cell at a place, or -1.
export function cellAt(grid: Grid, x: number, y: number): number {
  const row = Math.round((y / grid.radius - 1) / 1.5);
  let best = -1;
  let nearest = grid.radius * grid.radius;
  for (const r of [row - 1, row, row + 1]) {
    for (let i = Math.max(r, 0) * grid.columns; i < Math.min((r + 1) * grid.columns, grid.many); ++i) {
      const [cx, cy] = centre(grid, i);
      const away = (cx - x) ** 2 + (cy - y) ** 2;
      if (away < nearest) [best, nearest] = [i, away];
    }
  }
  return best;
}
