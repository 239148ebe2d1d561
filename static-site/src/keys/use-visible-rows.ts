import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Rows that are rendered above and below the window. */
const SPARE = 6;
/** The range moves in steps of this many rows, so that most scroll events render nothing. */
const STEP = 3;

export interface VisibleRows {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/**
 * The range of rows in or near the window, of a list whose rows start at `tops`; the last of `tops` is its end. By hand:
 * @tanstack/virtual-core can measure rows, for 9.8 KB where this file has 0.5 KB.
 */
export function useVisibleRows(list: RefObject<HTMLElement | null>, tops: readonly number[]): VisibleRows {
  const count = tops.length - 1;
  const [range, setRange] = useState<VisibleRows>({ first: 0, end: 30 });
  useEffect(() => {
    let frame = 0;
    const rangeWith = (spare: number): VisibleRows => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor((rowAt(tops, -top) - spare) / STEP) * STEP);
      const end = Math.max(0, Math.ceil((rowAt(tops, innerHeight - top) + 1 + spare) / STEP) * STEP);
      return { first, end };
    };
    const measure = (): void => {
      frame = 0;
      const wanted = rangeWith(SPARE);
      setRange((old) => {
        if (old.first === wanted.first && old.end === wanted.end) return old;
        const isFar = wanted.first >= old.end || wanted.end <= old.first;
        if (!isFar) return wanted;
        // After a jump all rows are new: render those in sight now, the spare ones in the next frame.
        frame = requestAnimationFrame(measure);
        return rangeWith(0);
      });
    };
    const onScroll = (): void => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    measure();
    // What stands above the list may grow and shrink.
    const observer = new ResizeObserver(onScroll);
    observer.observe(document.body);
    addEventListener('scroll', onScroll, { passive: true });
    addEventListener('resize', onScroll);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      removeEventListener('scroll', onScroll);
      removeEventListener('resize', onScroll);
    };
  }, [list, tops]);
  return { first: Math.min(range.first, count), end: Math.min(range.end, count) };
}

/** The row at a height; above the list as many rows before it as would fit. */
function rowAt(tops: readonly number[], y: number): number {
  if (y < 0) return Math.floor(y / (tops[1] || 1));
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}
