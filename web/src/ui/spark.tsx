// A line of the short past, without axes.
import { useEffect, useRef } from 'preact/hooks';
import { spark } from '../lib/spark';
import { isDark } from '../state/settings';

// `top`: the value at the upper edge; null: the largest one.
export function Spark({ values, top, label }: { values: (number | null)[]; top: number | null; label?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark();
  useEffect(() => { spark(canvas.current!, values, top); }, [values, top, dark]);
  return <canvas ref={canvas} class="spark" role={label === undefined ? undefined : 'img'} aria-label={label} aria-hidden={label === undefined ? true : undefined} />;
}
