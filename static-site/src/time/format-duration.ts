/** `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`, `5 d 3 h`; never less than nothing. */
export function formatDuration(ms: number, precision: 'seconds' | 'tenths' = 'seconds'): string {
  const left = Math.max(0, ms);
  if (precision === 'tenths' && left < 10_000) return `${(Math.ceil(left / 100) / 10).toFixed(1)} s`;
  const seconds = Math.ceil(left / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${pad(minutes % 60)} min`;
  const days = Math.floor(hours / 24);
  return days < 365 ? `${days} d ${hours % 24} h` : `${Math.floor(days / 365)} y ${days % 365} d`;
}

/** Time that has passed: a second counts once it is over. */
export function formatElapsed(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000);
}

/** A length that is a setting: `60 s`, `5 min`, `1 h`, `90 s`. */
export function formatLength(seconds: number): string {
  if (seconds >= 86_400 && seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
