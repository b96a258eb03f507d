// The page's useEffect. Preact runs the cleanups of a view that is gone only after the next frame is painted: until then its
// timers, listeners, observers and answers would find a view without elements. This one runs after the paint as well, and
// ends at once when the view goes.
import { useEffect as useAfterPaint, useLayoutEffect, useRef } from 'preact/hooks';

type End = () => void;

// `begin` may return what ends it, which is called once: before it begins again, or when the view goes.
export function useEffect(begin: () => void | End, inputs?: readonly unknown[]): void {
  const end = useRef<End | null>(null);
  useLayoutEffect(() => () => {
    end.current?.();
    end.current = null;
  }, []);
  useAfterPaint(() => {
    const given = begin();
    const own = () => {
      if (end.current !== own) return;
      end.current = null;
      given?.();
    };
    end.current = own;
    return own;
  }, inputs);
}
