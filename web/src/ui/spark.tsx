// A line of the short past, without axes.
import { HEIGHT, shapeOf } from '../lib/spark';

// `top`: the value at the upper edge; null: the largest one.
export function Spark({ values, top, label }: { values: (number | null)[]; top: number | null; label?: string }) {
  const { width, line, area } = shapeOf(values, top);
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role={label === undefined ? undefined : 'img'} aria-label={label} aria-hidden={label === undefined ? true : undefined}>
      <path class="spark-area" d={area} /><path class="spark-line" d={line} />
    </svg>
  );
}
