// A list of which only the rows in sight are in the DOM. All rows have the same height.
import { useState } from 'preact/hooks';
import { useEffect } from './effect';

const BEYOND = 8;  // rows above and below those in sight, for scrolling

export interface Sight { first: number; many: number }

// The rows to show: `top` and `height` are of the part in sight, in pixels.
export function sightOf(top: number, height: number, row: number, count: number): Sight {
  const first = Math.max(0, Math.min(Math.floor(top / row) - BEYOND, count - 1));
  const many = Math.max(0, Math.min(count - first, Math.ceil(height / row) + 2 * BEYOND + 1));
  return { first, many };
}

// Where to scroll so that a row is in sight; null: it is. `head`: height of what covers the top.
export function scrollTo(index: number, top: number, height: number, row: number, head = 0): number | null {
  if (index * row < top) return index * row;
  if ((index + 1) * row + head > top + height) return (index + 1) * row + head - height;
  return null;
}

// Follows the scrolling and the size of the element that `place` holds.
export function useSight(place: { current: HTMLElement | null }, row: number, count: number): Sight {
  const [, again] = useState(0);
  const shown = { top: place.current?.scrollTop ?? 0, height: place.current?.clientHeight ?? 600 };
  const sight = sightOf(shown.top, shown.height, row, count);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    let frame = 0;
    let last = '';
    const look = () => {
      frame = 0;
      const { first, many } = sightOf(element.scrollTop, element.clientHeight, row, count);
      const now = `${first} ${many}`;
      if (now !== last) again((n) => n + 1);
      last = now;
    };
    const soon = () => { if (frame === 0) frame = requestAnimationFrame(look); };
    const resized = new ResizeObserver(soon);
    resized.observe(element);
    element.addEventListener('scroll', soon, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      element.removeEventListener('scroll', soon);
    };
  }, [row, count]);
  return sight;
}
