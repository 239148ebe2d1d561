/** The number in a field that the browser has checked; what it let through all the same is left for the API to refuse. */
export function readWholeNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
