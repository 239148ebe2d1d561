/** Replaces the package `whatwg-url`: Node's own classes follow the same standard. */
const { URL, URLSearchParams } = globalThis;

export { URL, URLSearchParams };
