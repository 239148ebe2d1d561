import type { Usage } from '../../shared/contract/usage.ts';

/** How many keys of a pool it takes, in a sentence that says no more than what is known. */
export function adviseOnUsage(
  { totals, keys: { count: size }, resolutionMinutes }: Usage,
  hours: number,
): string {
  const { minutes, refusedMinutes, p999 } = totals;
  const span = `the last ${hours === 1 ? 'hour' : hours % 24 === 0 && hours > 24 ? `${hours / 24} days` : `${hours} hours`}`;
  if (minutes === 0) return `Nothing is known of ${span}.`;
  const known = minutes < hours * 60 ? `the ${count(minutes, 'known minute')}` : 'the minutes';
  const refusals =
    refusedMinutes === 0
      ? 'nobody was refused'
      : `refused in ${count(refusedMinutes, 'minute')}, when more were wanted than there were: how many more is unknown`;
  if (p999 === null) {
    const share = Math.floor(((minutes - refusedMinutes) / minutes) * 1000) / 10;
    return `What there was covered ${share} % of ${known} of ${span}; you have ${size}; ${refusals}.`;
  }
  const part = resolutionMinutes > 1 ? 'at least 99.9 %' : '99.9 %';
  const keys = `${count(p999, 'key')}${totals.atLeast ? ' or more' : ''}`;
  return `${keys} would have covered ${part} of ${known} of ${span}; you have ${size}; ${refusals}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
