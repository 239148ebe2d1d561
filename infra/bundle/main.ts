import { BUNDLE_FOLDER, bundleFunctions } from './bundle-functions.ts';

/** `npm run build:functions`: the bundles, and how large each is. */
const bundles = await bundleFunctions();
for (const { name, bytes } of bundles)
  console.log(`${name.padEnd(20)} ${(bytes / 1000).toFixed(1).padStart(7)} KB`);
console.log(`in ${BUNDLE_FOLDER}`);
